(** * A machine: a program that is called again and again

    Each call takes an input, returns an output, and changes the state. A framer that is fed is one,
    and so is a decoder that is called with a buffer. *)

From Coq Require Import List.
Import ListNotations.

Section Machine.
  Context {State Input Output : Type}.
  Variable step : State -> Input -> State * Output.

  (** Whether the caller makes no more calls after this output. *)
  Variable stops : Output -> bool.

  (** What the calls return, one after another. *)
  Fixpoint outputs (state : State) (inputs : list Input) : list Output :=
    match inputs with
    | [] => []
    | input :: later =>
        let (next, output) := step state input in
        output :: if stops output then [] else outputs next later
    end.

  (** No sequence of calls can distinguish the two states. This is what a search needs from [==]:
      two states that it merges must be alike. They need not be the same. *)
  Definition alike (one other : State) : Prop :=
    forall inputs, outputs one inputs = outputs other inputs.

  Lemma alike_refl : forall state, alike state state.
  Proof. intros state inputs. reflexivity. Qed.

  Lemma alike_sym : forall one other, alike one other -> alike other one.
  Proof. intros one other H inputs. symmetry. apply H. Qed.

  Lemma alike_trans :
    forall one other third, alike one other -> alike other third -> alike one third.
  Proof. intros one other third H I inputs. rewrite H. apply I. Qed.

  (** Alike states return the same. *)
  Lemma alike_output :
    forall one other input one' other' output output',
      alike one other ->
      step one input = (one', output) ->
      step other input = (other', output') ->
      output = output'.
  Proof.
    intros one other input one' other' output output' H S S'.
    specialize (H [input]). simpl in H. rewrite S, S' in H.
    injection H. auto.
  Qed.

  (** Alike states lead to alike states, if the caller goes on. *)
  Lemma alike_next :
    forall one other input one' other' output output',
      alike one other ->
      step one input = (one', output) ->
      step other input = (other', output') ->
      stops output = false ->
      alike one' other'.
  Proof.
    intros one other input one' other' output output' H S S' goes_on inputs.
    assert (same : output = output') by (eapply alike_output; eauto).
    subst output'.
    specialize (H (input :: inputs)). simpl in H. rewrite S, S', goes_on in H.
    injection H. auto.
  Qed.
End Machine.
