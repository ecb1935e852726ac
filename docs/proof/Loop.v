(** * Feeding that is a loop over a buffer

    A search can only call a decoder with buffers up to some length. This file says when that is
    enough for chunks of any length: if more bytes after a frame change nothing, the loop over a
    buffer can be cut anywhere. *)

From Coq Require Import List.
From EverySplit Require Import Machine Specification CallerBuffered.
Import ListNotations.

Section Loop.
  Context {State Byte Frame Error : Type}.
  Variable step : State -> Call Byte -> State * Reply Byte Frame Error.

  (** A frame is emitted whatever follows it in the buffer. *)
  Hypothesis frames_are_stable :
    forall state buffer next frame rest more,
      step state (Decode buffer) = (next, Emits frame rest) ->
      step state (Decode (buffer ++ more)) = (next, Emits frame (rest ++ more)).

  (** To wait, and to be called again with more bytes, is to be called with them at once. After an
      error, both return the error. *)
  Hypothesis waits_are_stable :
    forall state buffer next error rest more,
      step state (Decode buffer) = (next, Waits error rest) ->
      step state (Decode (buffer ++ more)) = step next (Decode (rest ++ more)).

  Let loop := loop step.

  (** A loop does the same each time. *)
  Lemma loop_is_a_function :
    forall state buffer state' rest given,
      loop state buffer state' rest given ->
      forall other other_rest other_given,
        loop state buffer other other_rest other_given ->
        other = state' /\ other_rest = rest /\ other_given = given.
  Proof.
    intros state buffer state' rest given one.
    induction one as [state buffer next rest error called
                     | state buffer between between_rest frame next rest frames error called
                         one IH].
    - intros other other_rest other_given two.
      inversion two; subst; rewrite called in *; [| discriminate].
      match goal with E : (_, _) = (_, _) |- _ => injection E; intros; subst end. auto.
    - intros other other_rest other_given two.
      inversion two; subst; rewrite called in *; [discriminate |].
      match goal with E : (_, _) = (_, _) |- _ => injection E; intros; subst end.
      edestruct IH as (same_state & same_rest & same_answer); [eassumption |].
      injection same_answer. intros. subst. auto.
  Qed.

  (** A loop over some bytes and then one over more are one loop over all of them. *)
  Lemma loops_join :
    forall state buffer between between_rest first,
      loop state buffer between between_rest first ->
      forall more state' rest second,
        loop between (between_rest ++ more) state' rest second ->
        loop state (buffer ++ more) state' rest
          (answer (frames first ++ frames second) (error second)).
  Proof.
    intros state buffer between between_rest first one.
    induction one as [state buffer next rest error called
                     | state buffer next next_rest frame between rest later error called one IH];
      intros more state' last_rest second two; simpl.
    - destruct second as [later last_error].
      assert (joined := waits_are_stable _ _ _ _ _ more called).
      inversion two as [? ? ? ? ? last_called | ? ? ? ? ? ? ? ? ? last_called last_loop]; subst.
      + apply loop_waits. rewrite joined. exact last_called.
      + eapply loop_emits; [rewrite joined; exact last_called | exact last_loop].
    - eapply loop_emits.
      + apply frames_are_stable. exact called.
      + apply (IH more state' last_rest second two).
  Qed.

  (** The chunks of a split, one loop after another. *)
  Inductive loops : State -> list Byte -> list (list Byte) -> State -> list Byte ->
      list (Answer Frame Error) -> Prop :=
  | loops_last :
      forall state buffer chunk state' rest given,
        loop state (buffer ++ chunk) state' rest given ->
        loops state buffer [chunk] state' rest [given]
  | loops_more :
      forall state buffer chunk between between_rest given chunks state' rest answers,
        loop state (buffer ++ chunk) between between_rest given ->
        loops between between_rest chunks state' rest answers ->
        loops state buffer (chunk :: chunks) state' rest (given :: answers).

  (** However the bytes are cut, into chunks of any length, the frames are those of one loop over
      all of them, and so are the state, the rest of the buffer, and the last error. *)
  Theorem loop_over_a_buffer_can_be_cut :
    forall state buffer chunks state' rest answers,
      loops state buffer chunks state' rest answers ->
      loop state (buffer ++ concat chunks) state' rest
        (answer (emitted answers) (error (last answers (answer [] None)))).
  Proof.
    intros state buffer chunks state' rest answers cut.
    induction cut as [state buffer chunk state' rest [out failed] one
                     | state buffer chunk between between_rest given chunks state' rest answers
                         one cut IH].
    - unfold emitted. simpl. rewrite !app_nil_r. exact one.
    - assert (not_empty : answers <> []) by (destruct cut; discriminate).
      replace (last (given :: answers) (answer [] None)) with (last answers (answer [] None))
        by (destruct answers; [contradiction | reflexivity]).
      unfold emitted. simpl. rewrite app_assoc.
      exact (loops_join _ _ _ _ _ one _ _ _ _ IH).
  Qed.

  (** Two ways to cut the same bytes cannot be distinguished by what they lead to. *)
  Theorem any_two_cuts_of_a_buffer_agree :
    forall state buffer one state1 rest1 answers1 other state2 rest2 answers2,
      loops state buffer one state1 rest1 answers1 ->
      loops state buffer other state2 rest2 answers2 ->
      concat one = concat other ->
      emitted answers1 = emitted answers2 /\
      error (last answers1 (answer [] None)) = error (last answers2 (answer [] None)) /\
      state1 = state2 /\ rest1 = rest2.
  Proof.
    intros state buffer one state1 rest1 answers1 other state2 rest2 answers2 first second same.
    apply loop_over_a_buffer_can_be_cut in first, second. rewrite same in first.
    destruct (loop_is_a_function _ _ _ _ _ first _ _ _ second) as (same_state & same_rest & agree).
    injection agree. intros. auto.
  Qed.
End Loop.

Print Assumptions loop_over_a_buffer_can_be_cut.
Print Assumptions any_two_cuts_of_a_buffer_agree.
