(** * States that are equal up to the offset

    A framer whose frames or errors hold offsets is never in the same state twice. Its nodes are
    finite only if the offset is taken out: the search compares states, frames and errors as they
    are relative to the offset. This file proves that this loses nothing. *)

From Coq Require Import List.
From EverySplit Require Import Machine Specification.
Import ListNotations.

Section Offsets.
  Context {State Byte Frame Error RelativeFrame RelativeError : Type}.
  Variable step : State -> Input Byte -> State * Answer Frame Error.

  (** The hooks: a frame and an error relative to the offset at which the call begins, from which
      the offset gives them back. *)
  Variable relative_frame : nat -> Frame -> RelativeFrame.
  Variable relative_error : nat -> Error -> RelativeError.
  Variable absolute_frame : nat -> RelativeFrame -> Frame.
  Variable absolute_error : nat -> RelativeError -> Error.
  Hypothesis frame_comes_back :
    forall offset frame, absolute_frame offset (relative_frame offset frame) = frame.
  Hypothesis error_comes_back :
    forall offset error, absolute_error offset (relative_error offset error) = error.

  Definition relative (offset : nat) (given : Answer Frame Error) :
      Answer RelativeFrame RelativeError :=
    answer
      (map (relative_frame offset) (frames given))
      (option_map (relative_error offset) (error given)).

  Definition absolute (offset : nat) (given : Answer RelativeFrame RelativeError) :
      Answer Frame Error :=
    answer
      (map (absolute_frame offset) (frames given))
      (option_map (absolute_error offset) (error given)).

  Definition bytes_in (input : Input Byte) : nat :=
    match input with
    | Chunk chunk => length chunk
    | End => 0
    end.

  (** The framer with its offset beside it. Its answers are relative, so two of its states can be
      alike at different offsets: this is the framer that the search sees. *)
  Definition located_step (located : nat * State) (input : Input Byte) :
      (nat * State) * Answer RelativeFrame RelativeError :=
    let (offset, state) := located in
    let (next, given) := step state input in
    ((offset + bytes_in input, next), relative offset given).

  (** Answers with their offsets put back. *)
  Fixpoint absolutes (offset : nat) (inputs : list (Input Byte))
      (answers : list (Answer RelativeFrame RelativeError)) : list (Answer Frame Error) :=
    match inputs, answers with
    | input :: later, given :: others =>
        absolute offset given :: absolutes (offset + bytes_in input) later others
    | _, _ => []
    end.

  Lemma absolute_of_relative :
    forall offset given, absolute offset (relative offset given) = given.
  Proof.
    intros offset [out failed]. unfold absolute, relative. simpl. f_equal.
    - rewrite map_map. rewrite <- (map_id out) at 2.
      apply map_ext. intros frame. apply frame_comes_back.
    - destruct failed; simpl; [rewrite error_comes_back |]; reflexivity.
  Qed.

  Lemma relative_stops_too :
    forall caller_stops offset given,
      stops caller_stops (relative offset given) = stops caller_stops given.
  Proof. intros caller_stops offset [out [failed |]]; reflexivity. Qed.

  (** The answers of the framer are those of the framer that the search sees, with their offsets. *)
  Theorem relative_answers_are_enough :
    forall caller_stops inputs offset state,
      outputs step (stops caller_stops) state inputs =
      absolutes offset inputs
        (outputs located_step (stops caller_stops) (offset, state) inputs).
  Proof.
    intros caller_stops.
    induction inputs as [| input later IH]; intros offset state; simpl.
    - reflexivity.
    - destruct (step state input) as [next given].
      rewrite relative_stops_too, absolute_of_relative.
      destruct (stops caller_stops given).
      + destruct later; reflexivity.
      + f_equal. apply IH.
  Qed.
End Offsets.

Print Assumptions relative_answers_are_enough.
