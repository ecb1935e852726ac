(** * From one stream to all streams

    The searches of [Fed.v] and [CallerBuffered.v] do not mention a stream: their positions are
    those of a specification that reads byte by byte. So they speak of all streams that the
    specification allows. States that are equal at one position merge, whatever the streams were
    that led there. *)

From Coq Require Import Arith Lia Streams List.
From EverySplit Require Import Machine Specification Fed CallerBuffered.
Import ListNotations.

(** ** A tree: all streams up to a length *)

Section Tree.
  Context {State Position Byte Frame Error : Type}.

  Variable step : State -> Input Byte -> State * Answer Frame Error.
  Variable fresh : State.
  Variable spec : Specification Position Byte Frame Error.
  Variable start : Position.
  Variable caller_stops : bool.
  Let stops := @stops Frame Error caller_stops.
  Let alike := alike step stops.

  (** The length of the longest stream. *)
  Variable longest : nat.

  (** A node is (offset, state of the specification, state of the framer). *)
  Variable node : nat -> Position -> State -> Prop.
  Variable resume : State -> State.
  Hypothesis resume_is_faithful : forall state, alike (resume state) state.
  Variable equal : State -> State -> Prop.
  Hypothesis equal_covers_behaviour : forall one other, equal one other -> alike one other.
  Hypothesis fresh_is_a_node : exists state, node 0 start state /\ equal state fresh.

  Hypothesis each_chunk_is_judged :
    forall offset position state chunk,
      node offset position state ->
      may_come spec position chunk ->
      offset + length chunk <= longest ->
      exists state',
        step (resume state) (Chunk chunk) = (state', expected_answer spec position chunk) /\
        (stops (expected_answer spec position chunk) = false ->
         exists known,
           node (offset + length chunk) (after spec position chunk) known /\ equal known state').

  Hypothesis each_end_is_judged :
    forall offset position state,
      node offset position state ->
      may_end spec position ->
      snd (step (resume state) End) = at_end spec position.

  (** The same specification, which counts the bytes too. *)
  Definition counted : Specification (nat * Position) Byte Frame Error := {|
    may_follow at_ byte := may_follow spec (snd at_) byte;
    next at_ byte := (S (fst at_), next spec (snd at_) byte);
    completes at_ byte := completes spec (snd at_) byte;
    rejection at_ := rejection spec (snd at_);
    may_end at_ := may_end spec (snd at_);
    at_end at_ := at_end spec (snd at_)
  |}.

  Definition within (at_ : nat * Position) (chunk : list Byte) : Prop :=
    fst at_ + length chunk <= longest.

  Lemma counted_after :
    forall bytes offset position,
      after counted (offset, position) bytes =
      (offset + length bytes, after spec position bytes).
  Proof.
    induction bytes as [| byte later IH]; intros offset position; simpl.
    - rewrite Nat.add_0_r. reflexivity.
    - rewrite IH. f_equal. lia.
  Qed.

  Lemma counted_due :
    forall bytes offset position, due counted (offset, position) bytes = due spec position bytes.
  Proof.
    induction bytes as [| byte later IH]; intros offset position; simpl;
      [| rewrite IH]; reflexivity.
  Qed.

  Lemma counted_may_come :
    forall bytes offset position,
      may_come counted (offset, position) bytes <-> may_come spec position bytes.
  Proof.
    induction bytes as [| byte later IH]; intros offset position; simpl; [| rewrite IH]; tauto.
  Qed.

  Lemma counted_answer :
    forall offset position chunk,
      expected_answer counted (offset, position) chunk = expected_answer spec position chunk.
  Proof.
    intros offset position chunk. unfold expected_answer.
    rewrite counted_due, counted_after. reflexivity.
  Qed.

  Lemma counted_expected :
    forall inputs offset position,
      expected counted caller_stops (offset, position) inputs =
      expected spec caller_stops position inputs.
  Proof.
    induction inputs as [| [chunk |] later IH]; intros offset position; simpl.
    - reflexivity.
    - rewrite counted_answer, counted_after, IH. reflexivity.
    - reflexivity.
  Qed.

  Lemma counted_allowed :
    forall chunks offset position later,
      may_come spec position (concat chunks) ->
      offset + length (concat chunks) <= longest ->
      allowed counted within
        (offset + length (concat chunks), after spec position (concat chunks)) later ->
      allowed counted within (offset, position) (map Chunk chunks ++ later).
  Proof.
    induction chunks as [| chunk more IH];
      intros offset position later comes short fine; simpl in *.
    - rewrite Nat.add_0_r in fine. exact fine.
    - rewrite app_length in *. apply may_come_app in comes. destruct comes as (comes & more_come).
      rewrite after_app in fine. rewrite counted_after.
      repeat split.
      + apply counted_may_come. exact comes.
      + unfold within. simpl. lia.
      + apply IH; [exact more_come | lia |].
        rewrite <- Nat.add_assoc. exact fine.
  Qed.

  Lemma every_allowed_run_of_the_tree :
    forall inputs,
      allowed counted within (0, start) inputs ->
      outputs step stops fresh inputs = expected spec caller_stops start inputs.
  Proof.
    intros inputs fine. rewrite <- (counted_expected inputs 0).
    apply fed_search_covers_every_run with
      (covered := within) (resume := resume) (equal := equal)
      (node := fun at_ state => node (fst at_) (snd at_) state); auto.
    - intros [offset position] state chunk is_node comes short.
      rewrite counted_answer, counted_after.
      apply each_chunk_is_judged; [exact is_node | | exact short].
      apply counted_may_come in comes. exact comes.
    - intros [offset position] state is_node ends. eapply each_end_is_judged; eassumption.
  Qed.

  (** Every split of every stream up to the length returns what the specification says of the
      stream. *)
  Theorem every_stream_up_to_a_length :
    forall stream chunks,
      may_come spec start stream ->
      may_end spec (after spec start stream) ->
      length stream <= longest ->
      is_split chunks stream ->
      outputs step stops fresh (calls chunks) = expected spec caller_stops start (calls chunks).
  Proof.
    intros stream chunks comes ends short whole. unfold is_split in whole. subst stream.
    apply every_allowed_run_of_the_tree. apply counted_allowed; simpl; auto.
  Qed.

  (** The same for streams that have not ended. *)
  Theorem every_beginning_up_to_a_length :
    forall stream chunks,
      may_come spec start stream ->
      length stream <= longest ->
      is_split chunks stream ->
      outputs step stops fresh (map Chunk chunks) =
      expected spec caller_stops start (map Chunk chunks).
  Proof.
    intros stream chunks comes short whole. unfold is_split in whole. subst stream.
    apply every_allowed_run_of_the_tree.
    rewrite <- (app_nil_r (map Chunk chunks)). apply counted_allowed; simpl; auto.
  Qed.
End Tree.

(** ** Streams of any length, and streams without end

    If positions hold no offset, a finite set of nodes can be closed under all chunks up to a
    length. Then [fed_search_covers_every_run] speaks of streams of any length. A stream without end
    arrives in chunks without end. By coinduction every answer is as expected. *)

Section WithoutEnd.
  Context {State Position Byte Frame Error : Type}.
  Variable spec : Specification Position Byte Frame Error.
  Variable covered : Position -> list Byte -> Prop.

  (** The chunks can come one after another, and the search covers each. *)
  CoInductive come_forever : Position -> Stream (list Byte) -> Prop :=
    come_chunk :
      forall position chunk later,
        may_come spec position chunk ->
        covered position chunk ->
        come_forever (after spec position chunk) later ->
        come_forever position (Cons chunk later).

  CoFixpoint expected_forever (position : Position) (chunks : Stream (list Byte)) :
      Stream (Answer Frame Error) :=
    match chunks with
    | Cons chunk later =>
        Cons (expected_answer spec position chunk)
          (expected_forever (after spec position chunk) later)
    end.

  (** A framer that is fed without end. *)
  Variable step : State -> Input Byte -> State * Answer Frame Error.

  CoFixpoint fed_forever (state : State) (chunks : Stream (list Byte)) :
      Stream (Answer Frame Error) :=
    match chunks with
    | Cons chunk later =>
        let (next, given) := step state (Chunk chunk) in
        Cons given (fed_forever next later)
    end.

  (** The premises are those of [Fed.v], with a caller that feeds on after an error. *)
  Let goes_on := @stops Frame Error false.
  Let alike := alike step goes_on.
  Variable fresh : State.
  Variable start : Position.
  Variable node : Position -> State -> Prop.
  Variable resume : State -> State.
  Hypothesis resume_is_faithful : forall state, alike (resume state) state.
  Variable equal : State -> State -> Prop.
  Hypothesis equal_covers_behaviour : forall one other, equal one other -> alike one other.
  Hypothesis fresh_is_a_node : exists state, node start state /\ equal state fresh.
  Hypothesis each_chunk_is_judged :
    forall position state chunk,
      node position state ->
      may_come spec position chunk ->
      covered position chunk ->
      exists state' known,
        step (resume state) (Chunk chunk) = (state', expected_answer spec position chunk) /\
        node (after spec position chunk) known /\
        equal known state'.

  Lemma never_stops : forall given, goes_on given = false.
  Proof. intros given. unfold goes_on, stops. destruct (error given); reflexivity. Qed.

  Lemma forever_from_each_node :
    forall position state actual chunks,
      node position state ->
      alike state actual ->
      come_forever position chunks ->
      EqSt (fed_forever actual chunks) (expected_forever position chunks).
  Proof.
    cofix coinduction.
    intros position state actual chunks is_node same fine.
    destruct fine as [position chunk later comes is_covered fine].
    destruct (each_chunk_is_judged _ _ _ is_node comes is_covered)
      as (next & known & judged & known_is_node & known_equal).
    destruct (step actual (Chunk chunk)) as [actual' given] eqn:fed.
    assert (resumed : alike (resume state) actual).
    { eapply alike_trans; [apply resume_is_faithful | exact same]. }
    assert (as_judged := alike_output _ _ _ _ _ _ _ _ _ resumed judged fed).
    constructor; simpl; rewrite fed; simpl.
    - symmetry. exact as_judged.
    - apply coinduction with (state := known); [exact known_is_node | | exact fine].
      eapply alike_trans; [apply equal_covers_behaviour, known_equal |].
      eapply alike_next; [exact resumed | exact judged | exact fed | apply never_stops].
  Qed.

  (** Every split of every stream without end returns what is expected, in every call. *)
  Theorem every_stream_without_end :
    forall chunks,
      come_forever start chunks ->
      EqSt (fed_forever fresh chunks) (expected_forever start chunks).
  Proof.
    intros chunks fine.
    destruct fresh_is_a_node as (state & is_node & same).
    apply forever_from_each_node with (state := state); auto.
  Qed.
End WithoutEnd.

(** ** The same for a decoder whose caller owns the buffer *)

Section BufferWithoutEnd.
  Context {State Position Byte Frame Error : Type}.
  Variable step : State -> Call Byte -> State * Reply Byte Frame Error.
  Variable fresh : State.
  Variable spec : Specification Position Byte Frame Error.
  Variable start : Position.
  Variable covered : Position -> list Byte -> Prop.

  (** The caller of a stream without end: after each chunk its loop ends. *)
  CoInductive run_forever :
    State -> list Byte -> Stream (list Byte) -> Stream (Answer Frame Error) -> Prop :=
    run_forever_chunk :
      forall state buffer chunk state' rest given later answers,
        loop step state (buffer ++ chunk) state' rest given ->
        run_forever state' rest later answers ->
        run_forever state buffer (Cons chunk later) (Cons given answers).

  Let alike := alike step (@stops_after Byte Frame Error false).
  Variable waits : State -> list Byte -> Position -> Prop.
  Variable called : State -> list Byte -> list Frame -> Position -> Prop.
  Variable resume : State -> State.
  Hypothesis resume_is_faithful : forall state, alike (resume state) state.
  Variable equal : State -> State -> Prop.
  Hypothesis equal_covers_behaviour : forall one other, equal one other -> alike one other.
  Hypothesis fresh_waits : exists state, waits state [] start /\ equal state fresh.
  Hypothesis each_chunk_is_called :
    forall state buffer position chunk,
      waits state buffer position ->
      may_come spec position chunk ->
      covered position chunk ->
      called state (buffer ++ chunk) (due spec position chunk) (after spec position chunk).
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
          (@stops Frame Error false (answer [] error) = false ->
           exists known, waits known rest position /\ equal known state')
      | (_, Ends _) => False
      end.

  Lemma run_forever_from_each_wait :
    forall state buffer position actual chunks,
      waits state buffer position ->
      alike state actual ->
      come_forever spec covered position chunks ->
      run_forever actual buffer chunks (expected_forever spec position chunks).
  Proof.
    cofix coinduction.
    intros state buffer position actual chunks is_wait same fine.
    destruct fine as [position chunk later comes is_covered fine].
    assert (is_called := each_chunk_is_called _ _ _ _ is_wait comes is_covered).
    destruct (loop_from_each_call step spec false waits called resume resume_is_faithful
                equal equal_covers_behaviour each_call_is_judged _ _ _ _ _ is_called same)
      as (state' & rest & loops & leads_on & _).
    destruct (leads_on (never_stops _)) as (known & known_waits & known_same).
    rewrite (unfold_Stream (expected_forever _ _ _)). simpl.
    eapply run_forever_chunk; [exact loops |].
    eapply coinduction; eassumption.
  Qed.

  Lemma no_other_run_forever :
    forall state buffer position actual chunks answers,
      waits state buffer position ->
      alike state actual ->
      come_forever spec covered position chunks ->
      run_forever actual buffer chunks answers ->
      EqSt answers (expected_forever spec position chunks).
  Proof.
    cofix coinduction.
    intros state buffer position actual chunks answers is_wait same fine runs.
    destruct fine as [position chunk later comes is_covered fine].
    assert (is_called := each_chunk_is_called _ _ _ _ is_wait comes is_covered).
    destruct (loop_from_each_call step spec false waits called resume resume_is_faithful
                equal equal_covers_behaviour each_call_is_judged _ _ _ _ _ is_called same)
      as (state' & rest & loops & leads_on & unique).
    destruct (leads_on (never_stops _)) as (known & known_waits & known_same).
    inversion runs as [? ? ? other other_rest given ? others other_loops other_runs]; subst.
    destruct (unique _ _ _ other_loops) as (same_state & same_rest & same_answer). subst.
    constructor; simpl.
    - reflexivity.
    - eapply coinduction; eassumption.
  Qed.

  (** Every split of every stream without end: the caller's loop always ends, and the answers are
      those that are expected. *)
  Theorem every_stream_without_end_in_a_buffer :
    forall chunks,
      come_forever spec covered start chunks ->
      run_forever fresh [] chunks (expected_forever spec start chunks) /\
      forall answers,
        run_forever fresh [] chunks answers ->
        EqSt answers (expected_forever spec start chunks).
  Proof.
    intros chunks fine.
    destruct fresh_waits as (state & is_wait & same).
    split.
    - eapply run_forever_from_each_wait; eauto.
    - intros answers runs. eapply no_other_run_forever; eauto.
  Qed.
End BufferWithoutEnd.

Print Assumptions every_stream_up_to_a_length.
Print Assumptions every_beginning_up_to_a_length.
Print Assumptions every_stream_without_end.
Print Assumptions every_stream_without_end_in_a_buffer.
