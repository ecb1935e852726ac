(** * What a framer must emit, and for which streams

    A specification reads a stream byte by byte. Its state is called a position: for one stream the
    offset is enough, for all streams of a format it is the state of a simple parser. *)

From Coq Require Import List.
Import ListNotations.

(** What one call of a framer returns. *)
Record Answer (Frame Error : Type) : Type := answer {
  frames : list Frame;
  error : option Error
}.
Arguments answer {Frame Error}.
Arguments frames {Frame Error}.
Arguments error {Frame Error}.

(** A call of a framer that is fed: a chunk of the stream, which may be empty, or its end. *)
Inductive Input (Byte : Type) : Type :=
| Chunk (bytes : list Byte)
| End.
Arguments Chunk {Byte}.
Arguments End {Byte}.

Record Specification (Position Byte Frame Error : Type) : Type := {
  (** Whether the byte can come next. *)
  may_follow : Position -> Byte -> Prop;
  (** The position after the byte. *)
  next : Position -> Byte -> Position;
  (** The frames whose last byte this is. *)
  completes : Position -> Byte -> list Frame;
  (** The error that every call returns at this position, if any. *)
  rejection : Position -> option Error;
  (** Whether the stream can end here, and what its end returns. *)
  may_end : Position -> Prop;
  at_end : Position -> Answer Frame Error
}.
Arguments may_follow {Position Byte Frame Error}.
Arguments next {Position Byte Frame Error}.
Arguments completes {Position Byte Frame Error}.
Arguments rejection {Position Byte Frame Error}.
Arguments may_end {Position Byte Frame Error}.
Arguments at_end {Position Byte Frame Error}.

(** A split of a stream is a list of chunks, empty ones included, that are the stream when they are
    put together. *)
Definition is_split {Byte : Type} (chunks : list (list Byte)) (stream : list Byte) : Prop :=
  concat chunks = stream.

(** The calls that a split makes: each chunk, then the end of the stream. *)
Definition calls {Byte : Type} (chunks : list (list Byte)) : list (Input Byte) :=
  map Chunk chunks ++ [End].

Section Reading.
  Context {Position Byte Frame Error : Type}.
  Variable spec : Specification Position Byte Frame Error.

  (** The position after some bytes. *)
  Fixpoint after (position : Position) (bytes : list Byte) : Position :=
    match bytes with
    | [] => position
    | byte :: later => after (next spec position byte) later
    end.

  (** The frames whose last byte is among these bytes. *)
  Fixpoint due (position : Position) (bytes : list Byte) : list Frame :=
    match bytes with
    | [] => []
    | byte :: later => completes spec position byte ++ due (next spec position byte) later
    end.

  (** Whether the bytes can come next. *)
  Fixpoint may_come (position : Position) (bytes : list Byte) : Prop :=
    match bytes with
    | [] => True
    | byte :: later => may_follow spec position byte /\ may_come (next spec position byte) later
    end.

  Lemma after_app :
    forall bytes position more,
      after position (bytes ++ more) = after (after position bytes) more.
  Proof.
    induction bytes as [| byte later IH]; intros position more; simpl.
    - reflexivity.
    - apply IH.
  Qed.

  Lemma due_app :
    forall bytes position more,
      due position (bytes ++ more) = due position bytes ++ due (after position bytes) more.
  Proof.
    induction bytes as [| byte later IH]; intros position more; simpl.
    - reflexivity.
    - rewrite IH, app_assoc. reflexivity.
  Qed.

  Lemma may_come_app :
    forall bytes position more,
      may_come position (bytes ++ more) <->
      may_come position bytes /\ may_come (after position bytes) more.
  Proof.
    induction bytes as [| byte later IH]; intros position more; simpl.
    - tauto.
    - rewrite IH. tauto.
  Qed.

  (** What the call that feeds a chunk must return. *)
  Definition expected_answer (position : Position) (chunk : list Byte) : Answer Frame Error :=
    answer (due position chunk) (rejection spec (after position chunk)).

  (** Whether the caller makes no more calls after this answer. Most feed on after an error, and
      must get it again. Some deviate, and [caller_stops]. *)
  Variable caller_stops : bool.

  Definition stops (given : Answer Frame Error) : bool :=
    match error given with
    | Some _ => caller_stops
    | None => false
    end.

  (** What the calls must return, one after another. *)
  Fixpoint expected (position : Position) (inputs : list (Input Byte)) :
      list (Answer Frame Error) :=
    match inputs with
    | [] => []
    | Chunk chunk :: later =>
        let given := expected_answer position chunk in
        given :: if stops given then [] else expected (after position chunk) later
    | End :: later => [at_end spec position]
    end.

  (** The chunks that the search feeds at a position: all that can come next, those that end at some
      offsets, or those up to some length. *)
  Variable covered : Position -> list Byte -> Prop.

  (** The sequences of calls that the search speaks of. The end of the stream is the last of them,
      or it has not come yet. *)
  Fixpoint allowed (position : Position) (inputs : list (Input Byte)) : Prop :=
    match inputs with
    | [] => True
    | Chunk chunk :: later =>
        may_come position chunk /\ covered position chunk /\ allowed (after position chunk) later
    | End :: later => may_end spec position /\ later = []
    end.

  (** All frames that the answers hold. *)
  Definition emitted (answers : list (Answer Frame Error)) : list Frame :=
    flat_map frames answers.

  (** The frames that are out after some chunks are those that are complete, and no others. The
      right side does not mention the chunks, only the bytes in them. *)
  Lemma expected_frames :
    forall chunks position,
      caller_stops = false ->
      emitted (expected position (map Chunk chunks)) = due position (concat chunks).
  Proof.
    unfold emitted.
    induction chunks as [| chunk later IH]; intros position goes_on; simpl.
    - reflexivity.
    - rewrite due_app. f_equal.
      unfold stops. rewrite goes_on. destruct (error _); apply IH; assumption.
  Qed.

  (** What comes after some chunks does not depend on how they were cut. *)
  Lemma expected_app :
    forall chunks position later,
      caller_stops = false ->
      expected position (map Chunk chunks ++ later) =
      expected position (map Chunk chunks) ++ expected (after position (concat chunks)) later.
  Proof.
    induction chunks as [| chunk more IH]; intros position later goes_on; simpl.
    - reflexivity.
    - rewrite after_app, IH by exact goes_on.
      unfold stops. rewrite goes_on. destruct (error _); reflexivity.
  Qed.

  Lemma expected_frames_of_calls :
    forall chunks position,
      caller_stops = false ->
      emitted (expected position (calls chunks)) =
      due position (concat chunks) ++ frames (at_end spec (after position (concat chunks))).
  Proof.
    intros chunks position goes_on. unfold calls.
    rewrite expected_app by exact goes_on. unfold emitted. rewrite flat_map_app. f_equal.
    - apply expected_frames. exact goes_on.
    - simpl. apply app_nil_r.
  Qed.
End Reading.
