(** * The induction for decoders whose caller owns the buffer

    Such a decoder takes frames from the front of a buffer. Its caller appends each chunk that
    arrives, and calls it until it returns no frame. The search of
    [src/check/prove/caller_buffered.rs] judges each call by itself. This file proves that this is
    enough for every split, and that the caller's loop ends. *)

From Coq Require Import List.
From EverySplit Require Import Machine Specification.
Import ListNotations.

(** A call of a decoder: with a buffer, or with what is left in it at the end of the stream. *)
Inductive Call (Byte : Type) : Type :=
| Decode (buffer : list Byte)
| DecodeEnd (buffer : list Byte).
Arguments Decode {Byte}.
Arguments DecodeEnd {Byte}.

(** What a call returns, and what it leaves in the buffer. *)
Inductive Reply (Byte Frame Error : Type) : Type :=
| Emits (frame : Frame) (rest : list Byte)
| Waits (error : option Error) (rest : list Byte)
| Ends (ending : Answer Frame Error).
Arguments Emits {Byte Frame Error}.
Arguments Waits {Byte Frame Error}.
Arguments Ends {Byte Frame Error}.

Section CallerBuffered.
  Context {State Position Byte Frame Error : Type}.

  (** The decoder. [DecodeEnd] stands for all calls of [decode_eof] at the end of the stream. *)
  Variable step : State -> Call Byte -> State * Reply Byte Frame Error.
  Variable fresh : State.

  Variable spec : Specification Position Byte Frame Error.
  Variable start : Position.
  Variable caller_stops : bool.
  Variable covered : Position -> list Byte -> Prop.

  Let stops := @stops Frame Error caller_stops.

  Definition stops_after (reply : Reply Byte Frame Error) : bool :=
    match reply with
    | Waits (Some _) _ => caller_stops
    | _ => false
    end.

  Let alike := alike step stops_after.

  (** ** The caller *)

  (** The loop after a chunk: the decoder is called until it returns no frame. The relation holds
      only of loops that end. *)
  Inductive loop :
    State -> list Byte -> State -> list Byte -> Answer Frame Error -> Prop :=
  | loop_waits :
      forall state buffer state' rest error,
        step state (Decode buffer) = (state', Waits error rest) ->
        loop state buffer state' rest (answer [] error)
  | loop_emits :
      forall state buffer between between_rest frame state' rest later error,
        step state (Decode buffer) = (between, Emits frame between_rest) ->
        loop between between_rest state' rest (answer later error) ->
        loop state buffer state' rest (answer (frame :: later) error).

  (** The caller: each chunk goes to the end of the buffer, then the loop runs. *)
  Inductive run :
    State -> list Byte -> list (Input Byte) -> list (Answer Frame Error) -> Prop :=
  | run_nothing :
      forall state buffer, run state buffer [] []
  | run_chunk :
      forall state buffer chunk state' rest given later answers,
        loop state (buffer ++ chunk) state' rest given ->
        stops given = false ->
        run state' rest later answers ->
        run state buffer (Chunk chunk :: later) (given :: answers)
  | run_stops :
      forall state buffer chunk state' rest given later,
        loop state (buffer ++ chunk) state' rest given ->
        stops given = true ->
        run state buffer (Chunk chunk :: later) [given]
  | run_end :
      forall state buffer state' ending later,
        step state (DecodeEnd buffer) = (state', Ends ending) ->
        run state buffer (End :: later) [ending].

  (** ** The search *)

  (** The waits that the search has found: the state, what the buffer holds, and the position after
      all bytes that have arrived. *)
  Variable waits : State -> list Byte -> Position -> Prop.

  (** The calls that it has made: the state, the buffer, the frames that are complete in it and that
      the decoder still owes, and the position after all bytes that have arrived. *)
  Variable called : State -> list Byte -> list Frame -> Position -> Prop.

  (** How it continues from a state and how it compares two, as for framers that are fed. *)
  Variable resume : State -> State.
  Hypothesis resume_is_faithful : forall state, alike (resume state) state.
  Variable equal : State -> State -> Prop.
  Hypothesis equal_covers_behaviour : forall one other, equal one other -> alike one other.

  (** The fresh decoder waits, with an empty buffer. *)
  Hypothesis fresh_waits : exists state, waits state [] start /\ equal state fresh.

  (** From each wait it goes on with each chunk that can come next. *)
  Hypothesis each_chunk_is_called :
    forall state buffer position chunk,
      waits state buffer position ->
      may_come spec position chunk ->
      covered position chunk ->
      called state (buffer ++ chunk) (due spec position chunk) (after spec position chunk).

  (** Each call is judged. A frame is the next one that is owed, and the search calls again. Without
      a frame nothing may be owed, the error is the expected one, and the search waits, unless the
      caller stops. *)
  Hypothesis each_call_is_judged :
    forall state buffer owed position,
      called state buffer owed position ->
      match step (resume state) (Decode buffer) with
      | (state', Emits frame rest) =>
          exists owed_later known,
            owed = frame :: owed_later /\
            called known rest owed_later position /\
            equal known state'
      | (state', Waits error rest) =>
          owed = [] /\
          error = rejection spec position /\
          (stops (answer [] error) = false ->
           exists known, waits known rest position /\ equal known state')
      | (_, Ends _) => False
      end.

  (** It ended the stream at each wait at which the stream can end. *)
  Hypothesis each_end_is_judged :
    forall state buffer position,
      waits state buffer position ->
      may_end spec position ->
      snd (step (resume state) (DecodeEnd buffer)) = Ends (at_end spec position).

  (** ** The theorem *)

  Lemma resumed_alike :
    forall state actual, alike state actual -> alike (resume state) actual.
  Proof.
    intros state actual same. eapply alike_trans; [apply resume_is_faithful | exact same].
  Qed.

  Lemma known_alike :
    forall known next actual, equal known next -> alike next actual -> alike known actual.
  Proof.
    intros known next actual same_state same.
    eapply alike_trans; [apply equal_covers_behaviour, same_state | exact same].
  Qed.

  Lemma stops_ignores_frames :
    forall some others error, stops (answer some error) = stops (answer others error).
  Proof. reflexivity. Qed.

  (** From each call of the search the loop ends, emits what is owed, and leads to a wait. It cannot
      do anything else. *)
  Lemma loop_from_each_call :
    forall owed state buffer position actual,
      called state buffer owed position ->
      alike state actual ->
      let given := answer owed (rejection spec position) in
      exists state' rest,
        loop actual buffer state' rest given /\
        (stops given = false ->
         exists known, waits known rest position /\ alike known state') /\
        forall other other_rest other_given,
          loop actual buffer other other_rest other_given ->
          other = state' /\ other_rest = rest /\ other_given = given.
  Proof.
    induction owed as [| first owed IH]; intros state buffer position actual is_called same given.
    all: assert (judged := each_call_is_judged _ _ _ _ is_called).
    all: destruct (step (resume state) (Decode buffer)) as [next reply] eqn:searched.
    all: destruct (step actual (Decode buffer)) as [actual' actual_reply] eqn:acted.
    all: assert (resumed := resumed_alike _ _ same).
    all: assert (as_judged := alike_output _ _ _ _ _ _ _ _ _ resumed searched acted).
    all: subst actual_reply.
    all: destruct reply as [frame rest | failed rest | ending].
    - (* It emits a frame, but none is owed. *)
      destruct judged as (owed_later & known & absurd & _). discriminate.
    - (* It waits, and nothing is owed. *)
      destruct judged as (_ & as_expected & leads_on). subst failed.
      exists actual', rest. repeat split.
      + apply loop_waits. exact acted.
      + intros goes_on. destruct (leads_on goes_on) as (known & known_waits & equal_state).
        exists known. split; [exact known_waits |].
        eapply known_alike; [exact equal_state |].
        eapply alike_next; [apply resumed_alike, same | exact searched | exact acted |].
        simpl. unfold given, stops, Specification.stops in goes_on. simpl in goes_on.
        destruct (rejection spec position); [exact goes_on | reflexivity].
      + inversion H; congruence.
      + inversion H; congruence.
      + unfold given. inversion H; congruence.
    - contradiction.
    - (* It emits the first frame that is owed. *)
      destruct judged as (owed_later & known & is_first & known_called & equal_state).
      injection is_first as first_frame owed_is_later. subst first owed_later.
      assert (known_same : alike known actual').
      { eapply known_alike; [exact equal_state |].
        eapply alike_next; [apply resumed_alike, same | exact searched | exact acted |].
        reflexivity. }
      destruct (IH known rest position actual' known_called known_same)
        as (state' & last_rest & loops & leads_on & unique).
      exists state', last_rest. repeat split.
      + eapply loop_emits; [exact acted | exact loops].
      + intros goes_on. apply leads_on.
        rewrite <- goes_on. apply stops_ignores_frames.
      + inversion H; subst; rewrite acted in *; [discriminate |].
        match goal with E : (_, _) = (_, _) |- _ => injection E; intros; subst end.
        eapply unique; eassumption.
      + inversion H; subst; rewrite acted in *; [discriminate |].
        match goal with E : (_, _) = (_, _) |- _ => injection E; intros; subst end.
        eapply unique; eassumption.
      + inversion H; subst; rewrite acted in *; [discriminate |].
        match goal with E : (_, _) = (_, _) |- _ => injection E; intros; subst end.
        edestruct unique as (_ & _ & same_answer); [eassumption |].
        injection same_answer. intros. unfold given. congruence.
    - (* It waits, but a frame is owed. *)
      destruct judged as (absurd & _). discriminate.
    - contradiction.
  Qed.

  Lemma from_each_wait :
    forall inputs state buffer position actual,
      waits state buffer position ->
      alike state actual ->
      allowed spec covered position inputs ->
      forall answers,
        run actual buffer inputs answers <->
        answers = expected spec caller_stops position inputs.
  Proof.
    induction inputs as [| [chunk |] later IH];
      intros state buffer position actual is_wait same fine answers; simpl in fine |- *.
    - split; intros H; [inversion H; reflexivity | subst; constructor].
    - destruct fine as (comes & is_covered & fine).
      assert (is_called := each_chunk_is_called _ _ _ _ is_wait comes is_covered).
      destruct (loop_from_each_call _ _ _ _ _ is_called same)
        as (state' & rest & loops & leads_on & unique).
      fold stops. unfold expected_answer.
      destruct (stops (answer _ _)) eqn:stopped.
      + split; intros H.
        * inversion H; subst;
            edestruct unique as (_ & _ & same_answer); try eassumption; congruence.
        * subst. eapply run_stops; eassumption.
      + destruct (leads_on eq_refl) as (known & known_waits & known_same).
        split; intros H.
        * inversion H; subst;
            edestruct unique as (same_state & same_rest & same_answer); try eassumption.
          -- subst. f_equal. eapply IH; eassumption.
          -- congruence.
        * subst. eapply run_chunk; [eassumption | eassumption |].
          eapply IH; [eassumption | eassumption | eassumption | reflexivity].
    - destruct fine as (ends & nothing_later).
      assert (judged := each_end_is_judged _ _ _ is_wait ends).
      destruct (step (resume state) (DecodeEnd buffer)) as [next reply] eqn:searched.
      simpl in judged. subst reply.
      destruct (step actual (DecodeEnd buffer)) as [actual' actual_reply] eqn:acted.
      assert (as_judged := alike_output _ _ _ _ _ _ _ _ _ (resumed_alike _ _ same) searched acted).
      subst actual_reply.
      split; intros H.
      + inversion H; subst. congruence.
      + subst. eapply run_end. exact acted.
  Qed.

  (** The caller's loop ends after every chunk, and every allowed sequence of chunks returns what is
      expected: there is one run, with these answers. *)
  Theorem caller_buffered_search_covers_every_run :
    forall inputs,
      allowed spec covered start inputs ->
      forall answers,
        run fresh [] inputs answers <-> answers = expected spec caller_stops start inputs.
  Proof.
    intros inputs fine.
    destruct fresh_waits as (state & is_wait & same).
    apply from_each_wait with (state := state); auto.
  Qed.
End CallerBuffered.

Print Assumptions caller_buffered_search_covers_every_run.
