(** * Every split of one stream

    The search over one stream is the search of [Fed.v] with offsets as positions. Its premises are
    stated here as the code has them: the stream is [before ++ chunk ++ rest], and the node is at
    the offset [length before]. *)

From Coq Require Import List Arith Lia.
From EverySplit Require Import Machine Specification Fed.
Import ListNotations.

Section Ends.
  Context {Byte : Type}.

  (** The offsets at which the search lets chunks end: all of them, or some of a long stream. *)
  Variable ends : nat -> Prop.

  (** Whether the chunks after the offset [from] end at no other offsets than [ends]. *)
  Fixpoint ends_at (from : nat) (chunks : list (list Byte)) : Prop :=
    match chunks with
    | [] => True
    | chunk :: later =>
        ends (from + length chunk) /\ ends_at (from + length chunk) later
    end.

  Lemma ends_at_app :
    forall chunks from later,
      ends_at from (chunks ++ later) <->
      ends_at from chunks /\ ends_at (from + length (concat chunks)) later.
  Proof.
    induction chunks as [| chunk more IH]; intros from later; simpl.
    - rewrite Nat.add_0_r. tauto.
    - rewrite IH, app_length, Nat.add_assoc. tauto.
  Qed.

  Definition ends_allowed (from : nat) (chunk : list Byte) : Prop :=
    ends (from + length chunk).
End Ends.

Section Expectation.
  Context {Byte Frame Error : Type}.

  Variable stream : list Byte.

  (** What the stream must give, as in [src/expected.rs]: the frames that end at an offset, the
      error of every call after an offset, and what the end of the stream returns. *)
  Variable frames_at : nat -> list Frame.
  Variable rejected : nat -> option Error.
  Variable ending : Answer Frame Error.

  Definition one_stream : Specification nat Byte Frame Error := {|
    may_follow offset byte := nth_error stream offset = Some byte;
    next offset _ := S offset;
    completes offset _ := frames_at (S offset);
    rejection := rejected;
    may_end offset := offset = length stream;
    at_end _ := ending
  |}.

  (** The frames that end after the offset [from], up to [length] bytes later. *)
  Definition frames_between (from length : nat) : list Frame :=
    flat_map frames_at (seq (S from) length).

  Lemma offset_after :
    forall chunk from, after one_stream from chunk = from + length chunk.
  Proof.
    induction chunk as [| byte later IH]; intros from; simpl.
    - lia.
    - rewrite IH. lia.
  Qed.

  Lemma frames_due :
    forall chunk from, due one_stream from chunk = frames_between from (length chunk).
  Proof.
    unfold frames_between.
    induction chunk as [| byte later IH]; intros from; simpl.
    - reflexivity.
    - rewrite IH. reflexivity.
  Qed.

  (** A part of the stream can come at its offset. *)
  Lemma part_may_come :
    forall chunk before rest,
      stream = before ++ chunk ++ rest -> may_come one_stream (length before) chunk.
  Proof.
    induction chunk as [| byte later IH]; intros before rest parts; simpl.
    - exact I.
    - split.
      + rewrite parts, nth_error_app2, Nat.sub_diag by lia. reflexivity.
      + replace (S (length before)) with (length (before ++ [byte]))
          by (rewrite app_length; simpl; lia).
        apply IH with (rest := rest). rewrite <- app_assoc. exact parts.
  Qed.

  Lemma skipn_byte :
    forall (bytes : list Byte) offset byte,
      nth_error bytes offset = Some byte -> skipn offset bytes = byte :: skipn (S offset) bytes.
  Proof.
    induction bytes as [| first later IH]; intros [| offset] byte H; simpl in *; try discriminate.
    - injection H. intros. subst. reflexivity.
    - apply IH. exact H.
  Qed.

  (** What can come at an offset is a part of the stream. *)
  Lemma what_may_come_is_a_part :
    forall chunk from,
      may_come one_stream from chunk -> exists rest, skipn from stream = chunk ++ rest.
  Proof.
    induction chunk as [| byte later IH]; intros from comes; simpl in comes.
    - exists (skipn from stream). reflexivity.
    - destruct comes as (is_next & comes).
      destruct (IH (S from) comes) as (rest & parts).
      exists rest. rewrite (skipn_byte _ _ _ is_next), parts. reflexivity.
  Qed.

  Lemma parts_are_allowed :
    forall ends chunks before rest,
      stream = before ++ concat chunks ++ rest ->
      ends_at ends (length before) chunks ->
      forall later,
        allowed one_stream (ends_allowed ends) (length (before ++ concat chunks)) later ->
        allowed one_stream (ends_allowed ends) (length before) (map Chunk chunks ++ later).
  Proof.
    induction chunks as [| chunk more IH]; intros before rest parts good later fine; simpl in *.
    - rewrite app_nil_r in fine. exact fine.
    - destruct good as (good & more_good). rewrite offset_after.
      repeat split.
      + apply part_may_come with (rest := concat more ++ rest).
        rewrite parts, <- app_assoc. reflexivity.
      + exact good.
      + rewrite <- app_length in more_good |- *.
        apply IH with (rest := rest).
        * rewrite parts, <- !app_assoc. reflexivity.
        * exact more_good.
        * rewrite <- app_assoc. exact fine.
  Qed.
End Expectation.

Section Search.
  Context {State Byte Frame Error : Type}.

  Variable step : State -> Input Byte -> State * Answer Frame Error.
  Variable fresh : State.

  Variable stream : list Byte.
  Variable frames_at : nat -> list Frame.
  Variable rejected : nat -> option Error.
  Variable ending : Answer Frame Error.
  Variable caller_stops : bool.

  Let stops := @stops Frame Error caller_stops.
  Let alike := alike step stops.

  Variable ends : nat -> Prop.

  Variable node : nat -> State -> Prop.
  Variable resume : State -> State.
  Hypothesis resume_is_faithful : forall state, alike (resume state) state.
  Variable equal : State -> State -> Prop.
  Hypothesis equal_covers_behaviour : forall one other, equal one other -> alike one other.

  Hypothesis fresh_is_a_node : exists state, node 0 state /\ equal state fresh.

  Hypothesis each_chunk_is_judged :
    forall before chunk rest state,
      stream = before ++ chunk ++ rest ->
      node (length before) state ->
      ends (length (before ++ chunk)) ->
      let due :=
        answer
          (frames_between frames_at (length before) (length chunk))
          (rejected (length (before ++ chunk))) in
      exists state',
        step (resume state) (Chunk chunk) = (state', due) /\
        (stops due = false ->
         exists known, node (length (before ++ chunk)) known /\ equal known state').

  Hypothesis each_end_is_judged :
    forall state, node (length stream) state -> snd (step (resume state) End) = ending.

  Let spec := one_stream stream frames_at rejected ending.

  Lemma every_allowed_run :
    forall inputs,
      allowed spec (ends_allowed ends) 0 inputs ->
      outputs step stops fresh inputs = expected spec caller_stops 0 inputs.
  Proof.
    apply fed_search_covers_every_run with
      (node := fun offset state => node offset state /\ offset <= length stream)
      (resume := resume) (equal := equal); auto.
    - destruct fresh_is_a_node as (state & is_node & same).
      exists state. repeat split; auto. lia.
    - intros from state chunk (is_node & inside) comes good.
      destruct (what_may_come_is_a_part _ _ _ _ _ _ comes) as (rest & parts).
      assert (from_before : from = length (firstn from stream)).
      { rewrite firstn_length. lia. }
      assert (whole : stream = firstn from stream ++ chunk ++ rest).
      { rewrite <- parts. symmetry. apply firstn_skipn. }
      unfold spec, expected_answer. rewrite frames_due, offset_after. unfold ends_allowed in good.
      destruct (each_chunk_is_judged (firstn from stream) chunk rest state)
        as (state' & judged & leads_on); try (rewrite app_length); rewrite <- ?from_before; auto.
      rewrite app_length, <- from_before in judged, leads_on.
      exists state'. split; [exact judged |].
      intros goes_on. destruct (leads_on goes_on) as (known & known_is_node & same).
      exists known. repeat split; auto.
      apply (f_equal (@length Byte)) in whole. rewrite !app_length, <- from_before in whole. lia.
    - intros offset state (is_node & inside) at_the_end.
      simpl in at_the_end. subst offset. apply each_end_is_judged. exact is_node.
  Qed.

  (** Every split of the stream returns what is expected: each call, and the end of the stream. *)
  Theorem every_split_is_as_expected :
    forall chunks,
      is_split chunks stream ->
      ends_at ends 0 chunks ->
      outputs step stops fresh (calls chunks) = expected spec caller_stops 0 (calls chunks).
  Proof.
    intros chunks whole good. apply every_allowed_run.
    unfold is_split in whole. unfold calls.
    apply (parts_are_allowed stream frames_at rejected ending ends chunks [] []); simpl.
    - rewrite app_nil_r. symmetry. exact whole.
    - exact good.
    - rewrite whole. split; reflexivity.
  Qed.

  Lemma prefix_as_expected :
    forall chunks rest,
      concat chunks ++ rest = stream ->
      ends_at ends 0 chunks ->
      outputs step stops fresh (map Chunk chunks) =
      expected spec caller_stops 0 (map Chunk chunks).
  Proof.
    intros chunks rest parts good. apply every_allowed_run.
    rewrite <- (app_nil_r (map Chunk chunks)).
    apply (parts_are_allowed stream frames_at rejected ending ends chunks [] rest); simpl; auto.
  Qed.

  (** After any number of chunks, exactly the frames that end within them have been emitted. *)
  Theorem frames_so_far :
    forall chunks rest,
      concat chunks ++ rest = stream ->
      ends_at ends 0 chunks ->
      caller_stops = false ->
      emitted (outputs step stops fresh (map Chunk chunks)) =
      frames_between frames_at 0 (length (concat chunks)).
  Proof.
    intros chunks rest parts good goes_on.
    rewrite (prefix_as_expected chunks rest) by assumption.
    unfold spec. rewrite expected_frames by exact goes_on. apply frames_due.
  Qed.

  (** What a call returns depends on the offsets at which its chunk begins and ends, and not on how
      the bytes before it were cut. This holds for the error too. *)
  Theorem each_answer_depends_on_offsets_only :
    forall chunks chunk rest,
      concat chunks ++ chunk ++ rest = stream ->
      ends_at ends 0 (chunks ++ [chunk]) ->
      caller_stops = false ->
      outputs step stops fresh (map Chunk (chunks ++ [chunk])) =
      outputs step stops fresh (map Chunk chunks) ++
      [answer
        (frames_between frames_at (length (concat chunks)) (length chunk))
        (rejected (length (concat chunks ++ chunk)))].
  Proof.
    intros chunks chunk rest parts good goes_on.
    rewrite (prefix_as_expected (chunks ++ [chunk]) rest).
    rewrite (prefix_as_expected chunks (chunk ++ rest)).
    - rewrite map_app. unfold spec. rewrite expected_app by exact goes_on. simpl.
      unfold expected_answer. rewrite !offset_after, frames_due, app_length. simpl.
      match goal with |- context [if ?stopped then _ else _] => destruct stopped end; reflexivity.
    - exact parts.
    - apply ends_at_app in good. tauto.
    - rewrite concat_app. simpl. rewrite app_nil_r, <- app_assoc. exact parts.
    - exact good.
  Qed.

  (** Any two splits emit the same frames in the same order, those of the stream's end included. *)
  Theorem any_two_splits_emit_the_same :
    forall one other,
      is_split one stream ->
      is_split other stream ->
      ends_at ends 0 one ->
      ends_at ends 0 other ->
      caller_stops = false ->
      emitted (outputs step stops fresh (calls one)) =
      emitted (outputs step stops fresh (calls other)).
  Proof.
    intros one other is_one is_other good_one good_other goes_on.
    rewrite !every_split_is_as_expected, !expected_frames_of_calls by assumption.
    unfold is_split in is_one, is_other. rewrite is_one, is_other. reflexivity.
  Qed.
End Search.

Print Assumptions every_split_is_as_expected.
Print Assumptions frames_so_far.
Print Assumptions each_answer_depends_on_offsets_only.
Print Assumptions any_two_splits_emit_the_same.
