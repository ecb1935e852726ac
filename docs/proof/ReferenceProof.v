(** * The reference decoder is independent of the split, and prompt

    For every configuration, every stream of any length, and every split of it. *)

From Coq Require Import Streams NArith ZArith Lia ZifyN Strings.Byte.
From EverySplit Require Import Machine Specification Fed CallerBuffered EveryStream Loop Reference.
From Coq Require Import List.
Import ListNotations.
Local Open Scope N_scope.

(** ** Numbers *)

Ltac Zify.zify_post_hook ::= Z.div_mod_to_equations.

Lemma to_N_of_low_byte : forall value, to_N (low_byte value) = value mod 256.
Proof.
  intros value. unfold low_byte.
  destruct (of_N (value mod 256)) as [low |] eqn:found.
  - apply to_of_N. exact found.
  - apply of_N_None_iff in found. lia.
Qed.

Lemma low_byte_of_digits : forall low high, low_byte (to_N low + 256 * high) = low.
Proof.
  intros low high. unfold low_byte.
  replace ((to_N low + 256 * high) mod 256) with (to_N low).
  - rewrite of_to_N. reflexivity.
  - assert (small := to_N_bounded low). lia.
Qed.

Lemma higher_digits : forall low high, (to_N low + 256 * high) / 256 = high.
Proof. intros low high. assert (small := to_N_bounded low). lia. Qed.

Lemma low_byte_alone : forall low, low_byte (to_N low) = low.
Proof.
  intros low. rewrite <- (low_byte_of_digits low 0) at 2. f_equal. lia.
Qed.

Lemma write_of_read :
  forall order b0 b1 b2 b3, write_u32 order (read_u32 order b0 b1 b2 b3) = [b0; b1; b2; b3].
Proof.
  intros [|] b0 b1 b2 b3; unfold write_u32, read_u32;
    rewrite !higher_digits, !low_byte_of_digits, low_byte_alone; reflexivity.
Qed.

Definition is_u32 (value : N) : Prop := value < 2 ^ 32.

Lemma read_is_u32 : forall order b0 b1 b2 b3, is_u32 (read_u32 order b0 b1 b2 b3).
Proof.
  intros order b0 b1 b2 b3. unfold is_u32. change (2 ^ 32) with 4294967296.
  assert (H0 := to_N_bounded b0). assert (H1 := to_N_bounded b1).
  assert (H2 := to_N_bounded b2). assert (H3 := to_N_bounded b3).
  destruct order; unfold read_u32; lia.
Qed.

(** A number is its last byte and the others. *)
Lemma digits : forall value, value mod 256 + 256 * (value / 256) = value.
Proof. intros value. lia. Qed.

(** The four bytes of a number, which give it back when they are read. *)
Lemma written :
  forall order value,
    is_u32 value ->
    exists b0 b1 b2 b3,
      write_u32 order value = [b0; b1; b2; b3] /\ read_u32 order b0 b1 b2 b3 = value.
Proof.
  intros order value small. unfold is_u32 in small. change (2 ^ 32) with 4294967296 in small.
  assert (three_bytes : value / 256 < 16777216) by lia.
  assert (two_bytes : value / 256 / 256 < 65536) by lia.
  assert (one_byte : value / 256 / 256 / 256 < 256) by lia.
  destruct order; simpl; do 4 eexists; (split; [reflexivity |]);
    unfold read_u32; rewrite !to_N_of_low_byte, (N.mod_small _ _ one_byte), !digits; reflexivity.
Qed.

(** ** The front of the bytes *)

Lemma split_at_app :
  forall taken rest, split_at (length_of taken) (taken ++ rest) = Some (taken, rest).
Proof.
  unfold length_of.
  induction taken as [| first taken IH]; intros rest.
  - destruct rest; reflexivity.
  - simpl length. rewrite Nat2N.inj_succ. simpl.
    destruct (N.succ (N.of_nat (length taken)) =? 0) eqn:zero.
    + apply N.eqb_eq in zero. lia.
    + rewrite N.pred_succ, IH. reflexivity.
Qed.

Lemma split_at_parts :
  forall bytes size taken rest,
    split_at size bytes = Some (taken, rest) ->
    bytes = taken ++ rest /\ length_of taken = size.
Proof.
  unfold length_of.
  induction bytes as [| first later IH]; intros size taken rest found; simpl in found.
  - destruct (size =? 0) eqn:zero; [| discriminate].
    apply N.eqb_eq in zero. injection found. intros. subst. auto.
  - destruct (size =? 0) eqn:zero.
    + apply N.eqb_eq in zero. injection found. intros. subst. auto.
    + apply N.eqb_neq in zero.
      destruct (split_at (N.pred size) later) as [[more others] |] eqn:deeper; [| discriminate].
      injection found. intros. subst.
      destruct (IH _ _ _ deeper) as (parts & enough).
      split; [rewrite parts; reflexivity |].
      simpl length. lia.
Qed.

Section Reference.
  Variable config : Config.

  (** A frame that can be on the wire: a body up to the limit, and fields of 32 bits. *)
  Definition fits (frame : Frame) : Prop :=
    length_of (body frame) <= max_body_size config /\
    is_u32 (length_of (body frame)) /\ is_u32 (cmd frame) /\ is_u32 (recv frame).

  (** The bytes begin with a size over the limit. *)
  Definition over_limit (bytes : list byte) : Prop :=
    exists s0 s1 s2 s3 rest,
      bytes = s0 :: s1 :: s2 :: s3 :: rest /\
      max_body_size config < read_u32 (byte_order config) s0 s1 s2 s3.

  (** [front] finds a frame if and only if the bytes begin with an encoded one. *)
  Lemma front_of_encoded :
    forall frame rest offset,
      fits frame -> front config (encode config frame ++ rest) offset = Whole frame rest.
  Proof.
    intros [cmd recv body] rest offset (small & size_fits & cmd_fits & recv_fits).
    simpl in *. unfold encode. simpl.
    destruct (written (byte_order config) _ size_fits) as (s0 & s1 & s2 & s3 & size_is & size_read).
    destruct (written (byte_order config) _ cmd_fits) as (c0 & c1 & c2 & c3 & cmd_is & cmd_read).
    destruct (written (byte_order config) _ recv_fits) as (r0 & r1 & r2 & r3 & recv_is & recv_read).
    rewrite size_is, cmd_is, recv_is. simpl.
    rewrite size_read, cmd_read, recv_read.
    destruct (max_body_size config <? length_of body) eqn:over.
    - apply N.ltb_lt in over. lia.
    - rewrite split_at_app. reflexivity.
  Qed.

  Lemma front_is_encoded :
    forall bytes offset frame rest,
      front config bytes offset = Whole frame rest ->
      fits frame /\ bytes = encode config frame ++ rest.
  Proof.
    intros bytes offset frame rest found. unfold front in found.
    destruct bytes as [| s0 [| s1 [| s2 [| s3 bytes]]]]; try discriminate.
    destruct (max_body_size config <? _) eqn:over; [discriminate |]. apply N.ltb_ge in over.
    destruct bytes as [| c0 [| c1 [| c2 [| c3 [| r0 [| r1 [| r2 [| r3 bytes]]]]]]]];
      try discriminate.
    destruct (split_at _ bytes) as [[found_body found_rest] |] eqn:split; [| discriminate].
    injection found. intros. subst.
    destruct (split_at_parts _ _ _ _ split) as (parts & size).
    unfold fits, encode. simpl. rewrite size.
    repeat split; try apply read_is_u32; [exact over |].
    rewrite !write_of_read, parts. reflexivity.
  Qed.

  (** [front] rejects the bytes if and only if they begin with a size over the limit. *)
  Lemma front_of_over_limit :
    forall bytes offset,
      over_limit bytes <-> exists error, front config bytes offset = Rejected error.
  Proof.
    intros bytes offset. unfold over_limit, front. split.
    - intros (s0 & s1 & s2 & s3 & rest & begins & over). subst.
      apply N.ltb_lt in over. rewrite over. eauto.
    - intros (error & found).
      destruct bytes as [| s0 [| s1 [| s2 [| s3 bytes]]]]; try discriminate.
      destruct (max_body_size config <? _) eqn:over.
      + apply N.ltb_lt in over. eauto 8.
      + do 8 (destruct bytes as [| ? bytes]; [discriminate |]).
        destruct (split_at _ bytes) as [[? ?] |]; discriminate.
  Qed.

  (** More bytes change neither a frame nor an error. *)
  Lemma whole_is_stable :
    forall bytes offset frame rest more,
      front config bytes offset = Whole frame rest ->
      front config (bytes ++ more) offset = Whole frame (rest ++ more).
  Proof.
    intros bytes offset frame rest more found.
    destruct (front_is_encoded _ _ _ _ found) as (frame_fits & parts).
    rewrite parts, <- app_assoc. apply front_of_encoded. exact frame_fits.
  Qed.

  Lemma rejected_is_stable :
    forall bytes offset error more,
      front config bytes offset = Rejected error ->
      front config (bytes ++ more) offset = Rejected error.
  Proof.
    intros bytes offset error more found. unfold front in *.
    destruct bytes as [| s0 [| s1 [| s2 [| s3 bytes]]]]; try discriminate. simpl.
    destruct (max_body_size config <? _); [exact found |].
    do 8 (destruct bytes as [| ? bytes]; [discriminate |]).
    destruct (split_at _ bytes) as [[? ?] |]; discriminate.
  Qed.
  (** ** The loop *)

  Let step := decoder_step config.

  Lemma decoder_frames_are_stable :
    forall decoder buffer next frame rest more,
      step decoder (Decode buffer) = (next, Emits frame rest) ->
      step decoder (Decode (buffer ++ more)) = (next, Emits frame (rest ++ more)).
  Proof.
    intros decoder buffer next frame rest more called. simpl in *. unfold decode in *.
    destruct (poison decoder); [discriminate |].
    destruct (front config buffer (offset decoder)) as [found found_rest | | error] eqn:found_is;
      try discriminate.
    injection called. intros. subst. rewrite (whole_is_stable _ _ _ _ _ found_is). reflexivity.
  Qed.

  Lemma decoder_waits_are_stable :
    forall decoder buffer next error rest more,
      step decoder (Decode buffer) = (next, Waits error rest) ->
      step decoder (Decode (buffer ++ more)) = step next (Decode (rest ++ more)).
  Proof.
    intros decoder buffer next error rest more called. simpl in *.
    destruct (poison decoder) as [poisoned |] eqn:clean; unfold decode in called;
      rewrite clean in called.
    - injection called. intros. subst. reflexivity.
    - destruct (front config buffer (offset decoder)) as [? ? | | rejected] eqn:found;
        try discriminate; injection called; intros; subst; [reflexivity |].
      unfold decode. rewrite clean, (rejected_is_stable _ _ _ _ found). reflexivity.
  Qed.

  (** The loop of [Framer::feed] ends. *)
  Lemma decode_all_is_the_loop :
    forall turns decoder buffer,
      (length buffer <= turns)%nat ->
      let '(next, rest, given) := decode_all config turns decoder buffer in
      loop step decoder buffer next rest given.
  Proof.
    assert (shorter : forall decoder buffer next frame rest,
      decode config decoder buffer = (next, Emits frame rest) ->
      (length rest < length buffer)%nat).
    { intros decoder buffer next frame rest called. unfold decode in called.
      destruct (poison decoder); [discriminate |].
      destruct (front _ _ _) as [found found_rest | | ] eqn:found_is; try discriminate.
      injection called. intros. subst.
      destruct (front_is_encoded _ _ _ _ found_is) as (_ & parts). subst buffer.
      unfold encode. rewrite !app_length. destruct (byte_order config); simpl; lia. }
    induction turns as [| turns IH]; intros decoder buffer enough; simpl;
      destruct (decode config decoder buffer)
        as [next [frame rest | error rest | ending]] eqn:called.
    - assert (less := shorter _ _ _ _ _ called). lia.
    - apply loop_waits. exact called.
    - unfold decode in called. destruct (poison decoder); [discriminate |].
      destruct (front _ _ _); discriminate.
    - assert (less := shorter _ _ _ _ _ called).
      specialize (IH next rest ltac:(lia)).
      destruct (decode_all config turns next rest) as [[last last_rest] [later error]].
      eapply loop_emits; [exact called | exact IH].
    - apply loop_waits. exact called.
    - unfold decode in called. destruct (poison decoder); [discriminate |].
      destruct (front _ _ _); discriminate.
  Qed.

  Definition encode_all (sent : list Frame) : list byte := flat_map (encode config) sent.

  (** No whole frame begins the bytes. *)
  Definition no_whole_frame (bytes : list byte) : Prop :=
    ~ exists frame rest, fits frame /\ bytes = encode config frame ++ rest.

  (** The error of a frame that begins at the offset, if its size is over the limit. *)
  Definition limit_error (offset : N) (bytes : list byte) : option DecodeError :=
    match front config bytes offset with
    | Rejected error => Some error
    | _ => None
    end.

  (** What a loop does with any bytes: it emits whole frames, one after another, until none is left,
      and then returns the error of the rest. *)
  Lemma what_a_loop_does :
    forall decoder buffer next rest given,
      loop step decoder buffer next rest given ->
      poison decoder = None ->
      buffer = encode_all (frames given) ++ rest /\
      Forall fits (frames given) /\
      no_whole_frame rest /\
      offset next = offset decoder + length_of (encode_all (frames given)) /\
      error given = limit_error (offset next) rest /\
      poison next = error given.
  Proof.
    intros decoder buffer next rest given runs.
    induction runs as [decoder buffer next rest error called
                      | decoder buffer between between_rest frame next rest later error called
                          runs IH];
      intros clean; simpl in called; unfold decode in called; rewrite clean in called.
    - unfold limit_error. simpl.
      assert (nothing_whole :
        (forall frame others, front config buffer (offset decoder) <> Whole frame others) ->
        no_whole_frame buffer).
      { intros not_whole (frame & others & frame_fits & parts).
        apply (not_whole frame others). rewrite parts. apply front_of_encoded. exact frame_fits. }
      destruct (front config buffer (offset decoder)) as [? ? | | rejected] eqn:found;
        try discriminate; injection called; intros; subst; simpl; rewrite found;
        repeat split; auto; try (apply nothing_whole; discriminate); unfold length_of; simpl; lia.
    - destruct (front config buffer (offset decoder)) as [found found_rest | |] eqn:found_is;
        try discriminate.
      injection called. intros. subst.
      destruct (front_is_encoded _ _ _ _ found_is) as (frame_fits & parts).
      destruct (IH eq_refl) as (later_parts & later_fit & nothing_whole & end_is & error_is & last).
      simpl in *. repeat split; auto.
      + unfold encode_all in *. simpl. rewrite parts, later_parts, app_assoc. reflexivity.
      + rewrite end_is. unfold length_of. rewrite !app_length.
        unfold encode. rewrite !app_length. destruct (byte_order config); simpl; lia.
  Qed.

  (** After a loop without an error, nothing is left to do. *)
  Lemma loop_leaves_nothing :
    forall decoder buffer next rest given,
      loop step decoder buffer next rest given ->
      error given = None ->
      loop step next rest next rest (answer [] None).
  Proof.
    intros decoder buffer next rest given runs.
    induction runs as [decoder buffer next rest error called
                      | decoder buffer between between_rest frame next rest later error called
                          runs IH];
      intros good; [| exact (IH good)].
    simpl in good. subst error. apply loop_waits. simpl in *. unfold decode in called |- *.
    destruct (poison decoder) eqn:clean; [discriminate |].
    destruct (front config buffer (offset decoder)) eqn:found; try discriminate.
    injection called. intros. subst. rewrite clean, found. reflexivity.
  Qed.

  (** ** The decoder *)

  (** Whatever chunks arrive in its caller's buffer, what the decoder has emitted, the last error,
      its state and what is left in the buffer depend on the bytes alone. *)
  Theorem reference_decoder_can_be_cut_anywhere :
    forall one state1 rest1 answers1 other state2 rest2 answers2,
      loops step new_decoder [] one state1 rest1 answers1 ->
      loops step new_decoder [] other state2 rest2 answers2 ->
      concat one = concat other ->
      emitted answers1 = emitted answers2 /\
      error (last answers1 (answer [] None)) = error (last answers2 (answer [] None)) /\
      state1 = state2 /\ rest1 = rest2.
  Proof.
    apply any_two_cuts_of_a_buffer_agree.
    - exact decoder_frames_are_stable.
    - exact decoder_waits_are_stable.
  Qed.

  (** ** The framer *)

  (** What the framer keeps after a loop. *)
  Definition kept (next : Decoder) (rest : list byte) (given : Answer Frame DecodeError) : Framer :=
    {| decoder := next; buffered := match error given with Some _ => [] | None => rest end |}.

  Lemma feed_is_a_loop :
    forall framer chunk next rest given,
      poison (decoder framer) = None ->
      loop step (decoder framer) (buffered framer ++ chunk) next rest given ->
      feed config framer chunk = (kept next rest given, given).
  Proof.
    intros framer chunk next rest given clean runs. unfold feed. rewrite clean.
    assert (all := decode_all_is_the_loop _ (decoder framer) (buffered framer ++ chunk) (le_n _)).
    destruct (decode_all _ _ _ _) as [[all_next all_rest] all_given].
    destruct (loop_is_a_function _ _ _ _ _ _ runs _ _ _ all) as (same & same_rest & same_answer).
    subst. reflexivity.
  Qed.

  Lemma feed_has_a_loop :
    forall framer chunk,
      exists next rest given,
        loop step (decoder framer) (buffered framer ++ chunk) next rest given.
  Proof.
    intros framer chunk.
    assert (all := decode_all_is_the_loop _ (decoder framer) (buffered framer ++ chunk) (le_n _)).
    destruct (decode_all _ _ _ _) as [[next rest] given]. eauto.
  Qed.

  Lemma poisoned_feed :
    forall framer error chunk,
      poison (decoder framer) = Some error ->
      feed config framer chunk = (framer, answer [] (Some error)).
  Proof. intros framer error chunk poisoned. unfold feed. rewrite poisoned. reflexivity. Qed.

  (** To feed two chunks is to feed both at once. *)
  Lemma feeds_join :
    forall framer one more between first last second,
      feed config framer one = (between, first) ->
      feed config between more = (last, second) ->
      feed config framer (one ++ more) =
        (last, answer (frames first ++ frames second) (error second)).
  Proof.
    intros framer one more between first last second fed_one fed_more.
    destruct (poison (decoder framer)) as [poisoned |] eqn:clean.
    - rewrite (poisoned_feed _ _ one clean) in fed_one.
      rewrite (poisoned_feed _ _ (one ++ more) clean).
      injection fed_one. intros. subst.
      rewrite (poisoned_feed _ _ more clean) in fed_more.
      injection fed_more. intros. subst. reflexivity.
    - destruct (feed_has_a_loop framer one) as (next & rest & given & runs).
      rewrite (feed_is_a_loop _ _ _ _ _ clean runs) in fed_one.
      injection fed_one. intros. subst.
      destruct (what_a_loop_does _ _ _ _ _ runs clean) as (_ & _ & _ & _ & _ & poison_is).
      destruct (error first) as [failed |] eqn:first_error.
      + rewrite (poisoned_feed (kept next rest first) failed more poison_is) in fed_more.
        injection fed_more. intros. subst.
        assert (more_runs :
          loop step next (rest ++ more) next (rest ++ more) (answer [] (Some failed))).
        { apply loop_waits. simpl. unfold decode. rewrite poison_is. reflexivity. }
        assert (joined := loops_join _ decoder_frames_are_stable decoder_waits_are_stable
                            _ _ _ _ _ runs _ _ _ _ more_runs).
        rewrite <- app_assoc in joined.
        rewrite (feed_is_a_loop _ _ _ _ _ clean joined).
        unfold kept. simpl. rewrite first_error. reflexivity.
      + assert (still_clean : poison (decoder (kept next rest first)) = None) by exact poison_is.
        destruct (feed_has_a_loop (kept next rest first) more)
          as (last_next & last_rest & last_given & more_runs).
        rewrite (feed_is_a_loop _ _ _ _ _ still_clean more_runs) in fed_more.
        injection fed_more. intros. subst.
        unfold kept in more_runs. rewrite first_error in more_runs. simpl in more_runs.
        assert (joined := loops_join _ decoder_frames_are_stable decoder_waits_are_stable
                            _ _ _ _ _ runs _ _ _ _ more_runs).
        rewrite <- app_assoc in joined.
        rewrite (feed_is_a_loop _ _ _ _ _ clean joined). reflexivity.
  Qed.

  (** A framer that has been fed: an empty chunk changes nothing. *)
  Definition settled (framer : Framer) : Prop :=
    feed config framer [] = (framer, answer [] (poison (decoder framer))).

  Lemma fed_is_settled : forall framer chunk, settled (fst (feed config framer chunk)).
  Proof.
    intros framer chunk. unfold settled.
    destruct (poison (decoder framer)) as [poisoned |] eqn:clean.
    - rewrite (poisoned_feed _ _ chunk clean). simpl.
      rewrite clean. apply poisoned_feed. exact clean.
    - destruct (feed_has_a_loop framer chunk) as (next & rest & given & runs).
      rewrite (feed_is_a_loop _ _ _ _ _ clean runs). simpl.
      destruct (what_a_loop_does _ _ _ _ _ runs clean) as (_ & _ & _ & _ & _ & poison_is).
      rewrite poison_is. destruct (error given) as [failed |] eqn:given_error.
      + apply poisoned_feed. exact poison_is.
      + rewrite (feed_is_a_loop _ _ next rest (answer [] None)).
        * unfold kept. rewrite given_error. reflexivity.
        * exact poison_is.
        * unfold kept. rewrite given_error, app_nil_r.
          apply loop_leaves_nothing with (1 := runs). exact given_error.
  Qed.

  Lemma new_is_settled : settled new_framer.
  Proof. reflexivity. Qed.

  (** *** Byte by byte *)

  (** The framer that is fed one byte at a time, as a specification: every byte can follow, and the
      stream can end anywhere. *)
  Definition byte_by_byte : Specification Framer byte Frame DecodeError := {|
    may_follow _ _ := True;
    next framer byte := fst (feed config framer [byte]);
    completes framer byte := frames (snd (feed config framer [byte]));
    rejection framer := poison (decoder framer);
    may_end _ := True;
    at_end framer := answer [] (finish config framer)
  |}.

  (** A chunk does what its bytes do one at a time. *)
  Lemma feed_is_byte_by_byte :
    forall chunk framer,
      settled framer ->
      feed config framer chunk =
        (after byte_by_byte framer chunk, expected_answer byte_by_byte framer chunk).
  Proof.
    induction chunk as [| byte later IH]; intros framer is_settled.
    - exact is_settled.
    - change (byte :: later) with ([byte] ++ later).
      destruct (feed config framer [byte]) as [between first] eqn:fed_one.
      assert (between_is_settled : settled between).
      { assert (is := fed_is_settled framer [byte]). rewrite fed_one in is. exact is. }
      rewrite (feeds_join _ _ _ _ _ _ _ fed_one (IH between between_is_settled)).
      unfold expected_answer. simpl. rewrite fed_one. reflexivity.
  Qed.

  Lemma anything_may_come : forall bytes framer, may_come byte_by_byte framer bytes.
  Proof. induction bytes; simpl; auto. Qed.

  Definition any_chunk (_ : Framer) (_ : list byte) : Prop := True.

  Lemma every_split_is_allowed :
    forall chunks framer, allowed byte_by_byte any_chunk framer (calls chunks).
  Proof.
    unfold calls. induction chunks as [| chunk more IH]; intros framer; simpl.
    - auto.
    - repeat split; [apply anything_may_come | apply IH].
  Qed.

  Lemma every_beginning_is_allowed :
    forall chunks framer, allowed byte_by_byte any_chunk framer (map Chunk chunks).
  Proof.
    induction chunks as [| chunk more IH]; intros framer; simpl.
    - exact I.
    - repeat split; [apply anything_may_come | apply IH].
  Qed.

  (** The framer has one state at each position: the one that it has byte by byte. *)
  Definition one_state (position state : Framer) : Prop := position = state /\ settled state.

  Lemma from_its_only_state :
    forall position state chunk,
      one_state position state ->
      exists state' known,
        framer_step config state (Chunk chunk) =
          (state', expected_answer byte_by_byte position chunk) /\
        one_state (after byte_by_byte position chunk) known /\
        known = state'.
  Proof.
    intros position state chunk (same & is_settled). subst position.
    assert (fed_chunk := feed_is_byte_by_byte chunk _ is_settled).
    exists (after byte_by_byte state chunk), (after byte_by_byte state chunk).
    repeat split; [exact fed_chunk |].
    assert (is := fed_is_settled state chunk). rewrite fed_chunk in is. exact is.
  Qed.

  Lemma every_run_is_byte_by_byte :
    forall inputs caller_stops,
      allowed byte_by_byte any_chunk new_framer inputs ->
      outputs (framer_step config) (stops caller_stops) new_framer inputs =
      expected byte_by_byte caller_stops new_framer inputs.
  Proof.
    intros inputs caller_stops.
    apply fed_search_covers_every_run with
      (node := one_state) (resume := fun state => state) (equal := eq).
    - intros state inputs'. reflexivity.
    - intros one other same inputs'. subst. reflexivity.
    - exists new_framer. repeat split.
    - intros position state chunk is_node _ _.
      destruct (from_its_only_state _ _ chunk is_node)
        as (state' & known & fed_chunk & leads_on & same).
      exists state'. split; [exact fed_chunk |]. intros _. exists known. auto.
    - intros position state (same & _) _. subst. reflexivity.
  Qed.

  (** Every split of every stream returns, in every call and at the end, what the bytes return one
      at a time. *)
  Theorem reference_does_not_depend_on_the_split :
    forall chunks caller_stops,
      outputs (framer_step config) (stops caller_stops) new_framer (calls chunks) =
      expected byte_by_byte caller_stops new_framer (calls chunks).
  Proof.
    intros chunks caller_stops. apply every_run_is_byte_by_byte. apply every_split_is_allowed.
  Qed.

  (** The same for a stream without end. *)
  Theorem reference_does_not_depend_on_the_split_of_a_stream_without_end :
    forall chunks,
      EqSt
        (fed_forever (framer_step config) new_framer chunks)
        (expected_forever byte_by_byte new_framer chunks).
  Proof.
    intros chunks.
    apply every_stream_without_end with
      (covered := any_chunk) (node := one_state) (resume := fun state => state) (equal := eq).
    - intros state inputs. reflexivity.
    - intros one other same inputs. subst. reflexivity.
    - exists new_framer. repeat split.
    - intros position state chunk is_node _ _. apply from_its_only_state. exact is_node.
    - generalize new_framer. generalize chunks. cofix forever.
      intros [chunk later] framer. constructor; [apply anything_may_come | exact I | apply forever].
  Qed.

  (** *** What is emitted, and when *)

  Let answers_to (chunks : list (list byte)) : list (Answer Frame DecodeError) :=
    outputs (framer_step config) (stops false) new_framer (map Chunk chunks).

  Lemma emitted_at_once :
    forall chunks,
      emitted (answers_to chunks) = frames (snd (feed config new_framer (concat chunks))).
  Proof.
    intros chunks. unfold answers_to.
    rewrite every_run_is_byte_by_byte, expected_frames
      by (reflexivity || apply every_beginning_is_allowed).
    rewrite (feed_is_byte_by_byte _ _ new_is_settled). reflexivity.
  Qed.

  (** After any chunks, the frames that are out are exactly those that are whole: encoded, they are
      the beginning of the bytes so far, and what remains holds no whole frame. *)
  Theorem reference_is_prompt :
    forall chunks,
      exists rest,
        concat chunks = encode_all (emitted (answers_to chunks)) ++ rest /\
        Forall fits (emitted (answers_to chunks)) /\
        no_whole_frame rest.
  Proof.
    intros chunks. rewrite emitted_at_once.
    destruct (feed_has_a_loop new_framer (concat chunks)) as (next & rest & given & runs).
    rewrite (feed_is_a_loop new_framer _ _ _ _ eq_refl runs).
    destruct (what_a_loop_does _ _ _ _ _ runs eq_refl) as (parts & all_fit & nothing_whole & _).
    exists rest. repeat split; assumption.
  Qed.

  (** A loop over encoded frames emits them. *)
  Lemma loop_over_encoded :
    forall sent start rest,
      Forall fits sent ->
      no_whole_frame rest ->
      poison start = None ->
      exists next given,
        loop step start (encode_all sent ++ rest) next rest given /\
        frames given = sent.
  Proof.
    induction sent as [| frame later IH]; intros start rest all_fit nothing_whole clean.
    - simpl.
      destruct (front config rest (offset start)) as [frame others | | failed] eqn:found.
      + exfalso. apply nothing_whole.
        destruct (front_is_encoded _ _ _ _ found) as (frame_fits & parts). eauto.
      + exists start, (answer [] None). split; [| reflexivity].
        apply loop_waits. simpl. unfold decode. rewrite clean, found. reflexivity.
      + exists {| offset := offset start; poison := Some failed |}, (answer [] (Some failed)).
        split; [| reflexivity].
        apply loop_waits. simpl. unfold decode. rewrite clean, found. reflexivity.
    - inversion all_fit as [| ? ? frame_fits later_fit]. subst.
      set (between := {| offset := offset start + 12 + length_of (body frame); poison := None |}).
      destruct (IH between rest later_fit nothing_whole eq_refl)
        as (next & [out failed] & runs & same).
      exists next, (answer (frame :: out) failed). simpl in same. subst out.
      split; [| reflexivity].
      eapply loop_emits; [| exact runs].
      simpl. unfold decode. rewrite clean, <- app_assoc.
      rewrite (front_of_encoded frame) by exact frame_fits.
      reflexivity.
  Qed.

  (** What was encoded comes back equal, whatever the split and whatever follows it, and each call
      returns the error of what follows. So a size over the limit is rejected by the call that
      brings its fourth byte, and a frame is emitted by the call that brings its last. *)
  Theorem reference_emits_what_was_encoded :
    forall sent rest chunks chunk,
      Forall fits sent ->
      no_whole_frame rest ->
      concat (chunks ++ [chunk]) = encode_all sent ++ rest ->
      emitted (answers_to (chunks ++ [chunk])) = sent /\
      error (last (answers_to (chunks ++ [chunk])) (answer [] None)) =
        limit_error (length_of (encode_all sent)) rest.
  Proof.
    intros sent rest chunks chunk all_fit nothing_whole parts.
    destruct (loop_over_encoded sent new_decoder rest all_fit nothing_whole eq_refl)
      as (next & given & runs & same).
    assert (fed_all :
      feed config new_framer (encode_all sent ++ rest) = (kept next rest given, given)).
    { apply feed_is_a_loop; [reflexivity | exact runs]. }
    split.
    - rewrite emitted_at_once, parts, fed_all. exact same.
    - destruct (what_a_loop_does _ _ _ _ _ runs eq_refl) as (_ & _ & _ & end_is & error_is & _).
      rewrite same in end_is. change (offset new_decoder) with 0 in end_is.
      rewrite N.add_0_l in end_is.
      rewrite <- end_is, <- error_is.
      unfold answers_to. rewrite every_run_is_byte_by_byte by apply every_beginning_is_allowed.
      rewrite map_app, expected_app by reflexivity. simpl.
      match goal with |- context [if ?stopped then _ else _] => destruct stopped end;
        rewrite last_last; simpl.
      all: rewrite <- after_app.
      all: rewrite concat_app in parts; simpl in parts; rewrite app_nil_r in parts; rewrite parts.
      all: assert (whole := feed_is_byte_by_byte (encode_all sent ++ rest) _ new_is_settled).
      all: rewrite fed_all in whole; injection whole as state_is answer_is.
      all: rewrite answer_is; reflexivity.
  Qed.
End Reference.

Print Assumptions reference_decoder_can_be_cut_anywhere.
Print Assumptions reference_does_not_depend_on_the_split.
Print Assumptions reference_does_not_depend_on_the_split_of_a_stream_without_end.
Print Assumptions reference_is_prompt.
Print Assumptions reference_emits_what_was_encoded.
