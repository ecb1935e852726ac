(** * The list of expected frames

    [src/expected.rs] holds the frames of a stream as a list of ends and frames, in the order of
    their ends. [judge_feed] takes those that are due from the list by two numbers of frames. This
    file proves that they are the [frames_between] of [OneStream.v]. *)

From Coq Require Import List Arith Lia Sorted.
From EverySplit Require Import OneStream.
Import ListNotations.

Section Expected.
  Context {Frame : Type}.

  Definition not_after (one other : nat * Frame) : Prop := fst one <= fst other.

  (** The frames that end at an offset. *)
  Definition frames_ending_at (expected : list (nat * Frame)) (offset : nat) : list Frame :=
    map snd (filter (fun frame => fst frame =? offset) expected).

  (** [Expectation::at]: how many frames end up to an offset. *)
  Fixpoint partition_point (expected : list (nat * Frame)) (offset : nat) : nat :=
    match expected with
    | [] => 0
    | frame :: later =>
        if fst frame <=? offset then S (partition_point later offset) else 0
    end.

  (** [Expectation::advance] counts on from the frames that end up to an earlier offset. *)
  Theorem advance_is_at :
    forall expected from to,
      from <= to ->
      let due := partition_point expected from in
      due + partition_point (skipn due expected) to = partition_point expected to.
  Proof.
    intros expected from to order. simpl.
    induction expected as [| frame later IH]; [reflexivity |]. simpl.
    destruct (Nat.leb_spec (fst frame) from); simpl; [| reflexivity].
    destruct (Nat.leb_spec (fst frame) to); lia.
  Qed.

  (** The slice that [judge_feed] takes. *)
  Definition slice_due (expected : list (nat * Frame)) (from to : nat) : list Frame :=
    let due := partition_point expected from in
    map snd (firstn (partition_point expected to - due) (skipn due expected)).

  Definition ends_in (from to : nat) (frame : nat * Frame) : bool :=
    (from <? fst frame) && (fst frame <=? to).

  Lemma later_ends :
    forall frame later other,
      StronglySorted not_after (frame :: later) -> In other later -> fst frame <= fst other.
  Proof.
    intros frame later other sorted is_later.
    inversion sorted as [| ? ? later_sorted all]. subst.
    rewrite Forall_forall in all. apply all. exact is_later.
  Qed.

  Lemma filter_none :
    forall (keep : nat * Frame -> bool) expected,
      (forall frame, In frame expected -> keep frame = false) -> filter keep expected = [].
  Proof.
    intros keep. induction expected as [| frame later IH]; intros none; simpl.
    - reflexivity.
    - rewrite (none frame) by (left; reflexivity). apply IH.
      intros other is_later. apply none. right. exact is_later.
  Qed.

  Ltac compare_offsets :=
    unfold ends_in in *;
    repeat match goal with
    | |- context [?a <? ?b] => destruct (Nat.ltb_spec a b)
    | |- context [?a <=? ?b] => destruct (Nat.leb_spec a b)
    | |- context [?a =? ?b] => destruct (Nat.eqb_spec a b)
    end; simpl; try lia.

  (** The slice holds the frames that end between the offsets. *)
  Lemma slice_is_filter :
    forall expected from to,
      from <= to ->
      StronglySorted not_after expected ->
      slice_due expected from to = map snd (filter (ends_in from to) expected).
  Proof.
    intros expected from to order sorted. unfold slice_due.
    rewrite <- (advance_is_at expected from to order), Nat.add_sub_swap, Nat.sub_diag by lia.
    simpl. f_equal.
    induction expected as [| frame later IH]; [reflexivity |].
    assert (ends_later := fun other => later_ends frame later other sorted).
    inversion sorted as [| ? ? later_sorted _]. subst. specialize (IH later_sorted).
    destruct (Nat.leb_spec (fst frame) from) as [before | after].
    - (* The frame ends before the chunk. *)
      replace (partition_point (frame :: later) from) with (S (partition_point later from))
        by (simpl; compare_offsets; reflexivity).
      simpl skipn. rewrite IH. simpl. compare_offsets; reflexivity.
    - (* Neither it nor a later one does. *)
      replace (partition_point (frame :: later) from) with 0
        by (simpl; compare_offsets; reflexivity).
      replace (partition_point later from) with 0 in IH.
      + simpl in IH |- *. rewrite <- IH. compare_offsets; [reflexivity |].
        rewrite IH, filter_none; [reflexivity |].
        intros other is_later.
        assert (later_end := ends_later other is_later). compare_offsets; reflexivity.
      + destruct later as [| next others]; [reflexivity |].
        assert (later_end := ends_later next (or_introl eq_refl)).
        simpl. compare_offsets; reflexivity.
  Qed.

  (** One offset more. *)
  Lemma filter_one_more :
    forall expected from to,
      from <= to ->
      StronglySorted not_after expected ->
      filter (ends_in from (S to)) expected =
      filter (ends_in from to) expected ++ filter (fun frame => fst frame =? S to) expected.
  Proof.
    intros expected from to order sorted.
    induction expected as [| frame later IH]; [reflexivity |].
    assert (ends_later := fun other => later_ends frame later other sorted).
    inversion sorted as [| ? ? later_sorted _]. subst. specialize (IH later_sorted).
    (* If the frame ends at the offset, none of the later ones ends before. *)
    assert (none_before : to < fst frame -> filter (ends_in from to) later = []).
    { intros ends_after. apply filter_none. intros other is_later.
      assert (later_end := ends_later other is_later). compare_offsets; reflexivity. }
    simpl. rewrite IH. compare_offsets; try reflexivity.
    rewrite none_before by assumption. reflexivity.
  Qed.

  (** The slice of a sorted list is what the theorems call [frames_between]. *)
  Theorem slice_is_frames_between :
    forall expected from length,
      StronglySorted not_after expected ->
      slice_due expected from (from + length) =
      frames_between (frames_ending_at expected) from length.
  Proof.
    intros expected from length sorted. rewrite slice_is_filter by (exact sorted || lia).
    induction length as [| length IH].
    - rewrite Nat.add_0_r, filter_none; [reflexivity |].
      intros frame _. compare_offsets; reflexivity.
    - unfold frames_between in *. rewrite seq_S, flat_map_app, <- IH.
      replace (from + S length) with (S (from + length)) by lia.
      rewrite filter_one_more, map_app by (exact sorted || lia).
      simpl. rewrite app_nil_r. reflexivity.
  Qed.
End Expected.

Print Assumptions advance_is_at.
Print Assumptions slice_is_frames_between.
