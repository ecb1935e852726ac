(** * Every split of one stream, for a decoder whose caller owns the buffer

    The premises of [CallerBuffered.v] as the code has them for one stream: a node is the number of
    bytes consumed, the number of frames delivered, and the decoder's state. A call at a node
    depends only on how many bytes have arrived. *)

From Coq Require Import List Arith Lia.
From EverySplit Require Import Machine Specification OneStream CallerBuffered.
Import ListNotations.

Section Parts.
  Context {Byte : Type}.
  Variable stream : list Byte.

  (** The bytes of the stream from one offset to another. *)
  Definition part (from to : nat) : list Byte := firstn (to - from) (skipn from stream).

  Lemma skipn_twice :
    forall some more (bytes : list Byte), skipn more (skipn some bytes) = skipn (some + more) bytes.
  Proof.
    induction some as [| some IH]; intros more bytes; simpl.
    - reflexivity.
    - destruct bytes; [apply skipn_nil | apply IH].
  Qed.

  (** What is left at the end of a part is a part. *)
  Lemma end_of_part :
    forall from to taken rest,
      from <= to <= length stream ->
      part from to = taken ++ rest ->
      from <= to - length rest /\ rest = part (to - length rest) to.
  Proof.
    unfold part. intros from to taken rest inside parts.
    assert (lengths : to - from = length taken + length rest).
    { rewrite <- app_length, <- parts, firstn_length, skipn_length. lia. }
    split; [lia |].
    apply (f_equal (skipn (length taken))) in parts.
    rewrite skipn_app, skipn_all, Nat.sub_diag in parts. simpl in parts.
    rewrite <- parts at 1.
    rewrite skipn_firstn_comm, skipn_twice. f_equal; [lia |]. f_equal. lia.
  Qed.

  (** A part and the chunk that arrives next are a part. *)
  Lemma part_and_chunk :
    forall from to chunk rest,
      from <= to <= length stream ->
      skipn to stream = chunk ++ rest ->
      part from to ++ chunk = part from (to + length chunk).
  Proof.
    unfold part. intros from to chunk rest inside parts.
    set (remaining := skipn from stream).
    set (arrived := firstn (to - from) remaining).
    assert (whole : remaining = arrived ++ chunk ++ rest).
    { rewrite <- parts, <- (firstn_skipn (to - from) remaining) at 1.
      unfold arrived, remaining. rewrite skipn_twice. do 2 f_equal. lia. }
    assert (lengths : length arrived = to - from).
    { unfold arrived, remaining. rewrite firstn_length, skipn_length. lia. }
    replace (to + length chunk - from) with (length arrived + length chunk) by lia.
    rewrite whole, firstn_app_2, firstn_app, firstn_all, Nat.sub_diag. simpl.
    rewrite app_nil_r. reflexivity.
  Qed.
End Parts.

Section Search.
  Context {State Byte Frame Error : Type}.

  Variable step : State -> Call Byte -> State * Reply Byte Frame Error.
  Variable fresh : State.

  Variable stream : list Byte.
  Variable frames_at : nat -> list Frame.
  Variable rejected : nat -> option Error.
  Variable ending : Answer Frame Error.
  Variable caller_stops : bool.

  Let stops := @stops Frame Error caller_stops.
  Let alike := alike step (stops_after caller_stops).
  Let spec := one_stream stream frames_at rejected ending.

  Variable ends : nat -> Prop.

  (** The frames that must have been emitted when so many bytes have arrived. *)
  Definition due_by (arrived : nat) : list Frame := frames_between frames_at 0 arrived.

  (** A node (bytes consumed, frames delivered, state) at which the decoder has waited, or has been
      called, when so many bytes had arrived. *)
  Variable waits_at : nat -> nat -> State -> nat -> Prop.
  Variable called_at : nat -> nat -> State -> nat -> Prop.

  Variable resume : State -> State.
  Hypothesis resume_is_faithful : forall state, alike (resume state) state.
  Variable equal : State -> State -> Prop.
  Hypothesis equal_covers_behaviour : forall one other, equal one other -> alike one other.

  Hypothesis fresh_waits : exists state, waits_at 0 0 state 0 /\ equal state fresh.

  (** From each wait the search goes on with every number of bytes that can have arrived next. *)
  Hypothesis each_arrival_is_called :
    forall consumed delivered state arrived to,
      waits_at consumed delivered state arrived ->
      arrived <= to <= length stream ->
      ends to ->
      called_at consumed delivered state to.

  (** Each call is judged. What it leaves in the buffer must be the end of it. *)
  Hypothesis each_call_is_judged :
    forall consumed delivered state arrived,
      called_at consumed delivered state arrived ->
      match step (resume state) (Decode (part stream consumed arrived)) with
      | (state', Emits frame rest) =>
          nth_error (due_by arrived) delivered = Some frame /\
          (exists taken, part stream consumed arrived = taken ++ rest) /\
          exists known,
            called_at (arrived - length rest) (S delivered) known arrived /\
            equal known state'
      | (state', Waits error rest) =>
          length (due_by arrived) <= delivered /\
          error = rejected arrived /\
          (exists taken, part stream consumed arrived = taken ++ rest) /\
          (stops (answer [] error) = false ->
           exists known,
             waits_at (arrived - length rest) delivered known arrived /\
             equal known state')
      | (_, Ends _) => False
      end.

  Hypothesis each_end_is_judged :
    forall consumed delivered state,
      waits_at consumed delivered state (length stream) ->
      snd (step (resume state) (DecodeEnd (part stream consumed (length stream)))) = Ends ending.

  (** The waits and calls of [CallerBuffered.v]: the buffer holds the bytes that have arrived and
      are not consumed, and the frames that are due and not delivered are owed. *)
  Definition waits (state : State) (buffer : list Byte) (arrived : nat) : Prop :=
    exists consumed,
      waits_at consumed (length (due_by arrived)) state arrived /\
      consumed <= arrived <= length stream /\
      buffer = part stream consumed arrived.

  Definition called
      (state : State) (buffer : list Byte) (owed : list Frame) (arrived : nat) : Prop :=
    exists consumed delivered,
      called_at consumed delivered state arrived /\
      consumed <= arrived <= length stream /\
      buffer = part stream consumed arrived /\
      delivered <= length (due_by arrived) /\
      owed = skipn delivered (due_by arrived).

  Lemma due_by_app :
    forall arrived more,
      due_by (arrived + more) = due_by arrived ++ frames_between frames_at arrived more.
  Proof.
    intros arrived more. unfold due_by, frames_between.
    rewrite seq_app, flat_map_app. simpl. reflexivity.
  Qed.

  (** Every split of the stream returns what is expected, and the caller's loop ends after every
      chunk. *)
  Theorem every_split_of_a_buffer_is_as_expected :
    forall chunks,
      is_split chunks stream ->
      ends_at ends 0 chunks ->
      forall answers,
        run step caller_stops fresh [] (calls chunks) answers <->
        answers = expected spec caller_stops 0 (calls chunks).
  Proof.
    intros chunks whole good.
    apply caller_buffered_search_covers_every_run with
      (covered := ends_allowed ends) (waits := waits) (called := called)
      (resume := resume) (equal := equal); auto.
    - destruct fresh_waits as (state & is_wait & same).
      exists state. split; [| exact same].
      exists 0. repeat split; auto. lia.
    - intros state buffer arrived chunk (consumed & is_wait & inside & holds) comes allowed_end.
      unfold spec in *. rewrite offset_after, frames_due. unfold ends_allowed in allowed_end.
      destruct (what_may_come_is_a_part _ _ _ _ _ _ comes) as (rest & parts).
      assert (still_inside : arrived + length chunk <= length stream).
      { apply (f_equal (@length Byte)) in parts. rewrite skipn_length, app_length in parts. lia. }
      exists consumed, (length (due_by arrived)). repeat split; try lia.
      + eapply each_arrival_is_called; [exact is_wait | lia | exact allowed_end].
      + rewrite holds. eapply part_and_chunk; eassumption.
      + rewrite due_by_app, app_length. lia.
      + rewrite due_by_app, skipn_app, skipn_all, Nat.sub_diag. reflexivity.
    - intros state buffer owed arrived is_called_so.
      destruct is_called_so as (consumed & delivered & is_called & inside & holds & few & owes).
      assert (judged := each_call_is_judged _ _ _ _ is_called). rewrite <- holds in judged.
      destruct (step (resume state) (Decode buffer)) as [state' [frame rest | error rest | ?]].
      + destruct judged as (is_next & (taken & parts) & known & known_called & same).
        rewrite holds in parts.
        destruct (end_of_part _ _ _ _ _ inside parts) as (still_inside & is_part).
        exists (skipn (S delivered) (due_by arrived)), known.
        repeat split; auto.
        * rewrite owes. apply skipn_byte. exact is_next.
        * exists (arrived - length rest), (S delivered). repeat split; auto; try lia.
          apply nth_error_Some. rewrite is_next. discriminate.
      + destruct judged as (all_delivered & as_expected & (taken & parts) & leads_on).
        rewrite holds in parts.
        destruct (end_of_part _ _ _ _ _ inside parts) as (still_inside & is_part).
        repeat split.
        * rewrite owes. apply skipn_all2. exact all_delivered.
        * exact as_expected.
        * intros goes_on. destruct (leads_on goes_on) as (known & known_waits & same).
          exists known. split; [| exact same].
          exists (arrived - length rest).
          replace (length (due_by arrived)) with delivered by lia.
          repeat split; auto; lia.
      + exact judged.
    - intros state buffer arrived (consumed & is_wait & inside & holds) at_the_end.
      simpl in at_the_end. subst arrived. rewrite holds. eapply each_end_is_judged. exact is_wait.
    - unfold is_split in whole.
      apply (parts_are_allowed stream frames_at rejected ending ends chunks [] []); simpl.
      + rewrite app_nil_r. symmetry. exact whole.
      + exact good.
      + rewrite whole. split; reflexivity.
  Qed.
End Search.

Print Assumptions every_split_of_a_buffer_is_as_expected.
