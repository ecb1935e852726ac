(** * The induction for framers that are fed

    The search of [src/check/prove/fed.rs] visits nodes, feeds each chunk that can come next, and
    judges the call. This file proves that this is enough for every split. *)

From Coq Require Import List.
From EverySplit Require Import Machine Specification.
Import ListNotations.

Section Fed.
  Context {State Position Byte Frame Error : Type}.

  (** The framer: [step state (Chunk bytes)] is [feed], [step state End] is [finish]. That it is a
      function is the premise that a framer does the same whenever it is fed the same. *)
  Variable step : State -> Input Byte -> State * Answer Frame Error.
  Variable fresh : State.

  Variable spec : Specification Position Byte Frame Error.
  Variable start : Position.
  Variable caller_stops : bool.
  Variable covered : Position -> list Byte -> Prop.

  Let stops := @stops Frame Error caller_stops.
  Let alike := alike step stops.

  (** The nodes that the search has visited: any number of states at one position. *)
  Variable node : Position -> State -> Prop.

  (** How the search continues from a node: with a clone, or by feeding its path again. *)
  Variable resume : State -> State.
  Hypothesis resume_is_faithful : forall state, alike (resume state) state.

  (** How the search compares states: by [==], or by their text. *)
  Variable equal : State -> State -> Prop.
  Hypothesis equal_covers_behaviour : forall one other, equal one other -> alike one other.

  (** It visited the fresh framer. *)
  Hypothesis fresh_is_a_node : exists state, node start state /\ equal state fresh.

  (** From each node it fed each chunk, the answer was as expected, and the state that this led to
      is equal to one that it visited, unless the caller stops here. *)
  Hypothesis each_chunk_is_judged :
    forall position state chunk,
      node position state ->
      may_come spec position chunk ->
      covered position chunk ->
      exists state',
        step (resume state) (Chunk chunk) = (state', expected_answer spec position chunk) /\
        (stops (expected_answer spec position chunk) = false ->
         exists known, node (after spec position chunk) known /\ equal known state').

  (** It ended the stream at each node at which the stream can end. *)
  Hypothesis each_end_is_judged :
    forall position state,
      node position state ->
      may_end spec position ->
      snd (step (resume state) End) = at_end spec position.

  (** The induction on the calls: whatever came before, the framer is in a state that is alike to
      that of a node. *)
  Lemma from_each_node :
    forall inputs position state actual,
      node position state ->
      alike state actual ->
      allowed spec covered position inputs ->
      outputs step stops actual inputs = expected spec caller_stops position inputs.
  Proof.
    induction inputs as [| input later IH]; intros position state actual is_node same fine.
    - reflexivity.
    - assert (resumed : alike (resume state) actual).
      { eapply alike_trans; [apply resume_is_faithful | exact same]. }
      destruct input as [chunk |]; simpl in fine |- *.
      + destruct fine as (comes & is_covered & fine).
        destruct (each_chunk_is_judged position state chunk is_node comes is_covered)
          as (next & judged & leads_on).
        destruct (step actual (Chunk chunk)) as [actual' given] eqn:called.
        assert (given_as_judged := alike_output _ _ _ _ _ _ _ _ _ resumed judged called).
        subst given. fold stops. f_equal.
        destruct (stops _) eqn:stopped; [reflexivity |].
        destruct (leads_on eq_refl) as (known & known_is_node & known_equal).
        apply IH with (state := known); [assumption | | assumption].
        eapply alike_trans; [apply equal_covers_behaviour, known_equal |].
        eapply alike_next; eauto.
      + destruct fine as (ends & nothing_later). subst later.
        destruct (step actual End) as [actual' given] eqn:called.
        destruct (step (resume state) End) as [next judged] eqn:ended.
        assert (given_as_judged := alike_output _ _ _ _ _ _ _ _ _ resumed ended called).
        assert (as_expected := each_end_is_judged position state is_node ends).
        rewrite ended in as_expected. simpl in as_expected. subst.
        destruct (stops _); reflexivity.
  Qed.

  (** Every allowed sequence of calls returns what is expected. *)
  Theorem fed_search_covers_every_run :
    forall inputs,
      allowed spec covered start inputs ->
      outputs step stops fresh inputs = expected spec caller_stops start inputs.
  Proof.
    intros inputs fine.
    destruct fresh_is_a_node as (state & is_node & same).
    apply from_each_node with (state := state); auto.
  Qed.
End Fed.

Print Assumptions fed_search_covers_every_run.
