(** * The reference decoder

    [src/reference/decoder.rs] in Coq, function by function. [ReferenceProof.v] proves it, and
    [ReferenceTable.v] compares it with the Rust code. Offsets and sizes are natural numbers here
    and [u64] and [u32] there: a stream of 2^64 bytes never arrives. *)

From Coq Require Import List NArith Strings.Byte.
From EverySplit Require Import Specification CallerBuffered.
Import ListNotations.
Local Open Scope N_scope.

(** ** [frame.rs] *)

Inductive ByteOrder : Type := Little | Big.

Record Config : Type := { byte_order : ByteOrder; max_body_size : N }.

Record Frame : Type := { cmd : N; recv : N; body : list byte }.

Definition read_u32 (order : ByteOrder) (b0 b1 b2 b3 : byte) : N :=
  match order with
  | Little => to_N b0 + 256 * (to_N b1 + 256 * (to_N b2 + 256 * to_N b3))
  | Big => to_N b3 + 256 * (to_N b2 + 256 * (to_N b1 + 256 * to_N b0))
  end.

(** The last byte of a number. *)
Definition low_byte (value : N) : byte :=
  match of_N (value mod 256) with
  | Some low => low
  | None => x00
  end.

Definition write_u32 (order : ByteOrder) (value : N) : list byte :=
  let b0 := low_byte value in
  let b1 := low_byte (value / 256) in
  let b2 := low_byte (value / 256 / 256) in
  let b3 := low_byte (value / 256 / 256 / 256) in
  match order with
  | Little => [b0; b1; b2; b3]
  | Big => [b3; b2; b1; b0]
  end.

Definition length_of (bytes : list byte) : N := N.of_nat (length bytes).

(** The frame on the wire: the header, then the body. *)
Definition encode (config : Config) (frame : Frame) : list byte :=
  write_u32 (byte_order config) (length_of (body frame)) ++
  write_u32 (byte_order config) (cmd frame) ++
  write_u32 (byte_order config) (recv frame) ++
  body frame.

(** ** [error.rs] *)

Inductive DecodeError : Type :=
| BodyTooLarge (offset body_size max_body_size : N)
| Truncated (offset received due : N).

(** ** [decoder.rs] *)

(** The first [size] bytes and the others, or nothing if there are not as many. *)
Fixpoint split_at (size : N) (bytes : list byte) : option (list byte * list byte) :=
  if size =? 0 then Some ([], bytes)
  else
    match bytes with
    | [] => None
    | first :: later =>
        match split_at (N.pred size) later with
        | Some (taken, rest) => Some (first :: taken, rest)
        | None => None
        end
    end.

Inductive Front : Type :=
| Whole (frame : Frame) (rest : list byte)
| NotWhole
| Rejected (error : DecodeError).

(** Reads the frame at the front of the bytes. *)
Definition front (config : Config) (bytes : list byte) (offset : N) : Front :=
  match bytes with
  | s0 :: s1 :: s2 :: s3 :: after_size =>
      let body_size := read_u32 (byte_order config) s0 s1 s2 s3 in
      if max_body_size config <? body_size then
        Rejected (BodyTooLarge offset body_size (max_body_size config))
      else
        match after_size with
        | c0 :: c1 :: c2 :: c3 :: r0 :: r1 :: r2 :: r3 :: after_header =>
            match split_at body_size after_header with
            | Some (body, rest) =>
                Whole
                  {| cmd := read_u32 (byte_order config) c0 c1 c2 c3;
                     recv := read_u32 (byte_order config) r0 r1 r2 r3;
                     body := body |}
                  rest
            | None => NotWhole
            end
        | _ => NotWhole
        end
  | _ => NotWhole
  end.

(** Checks that a stream may end with these bytes, which hold no whole frame. *)
Definition check_end (config : Config) (rest : list byte) (offset : N) : option DecodeError :=
  match rest with
  | [] => None
  | s0 :: s1 :: s2 :: s3 :: _ =>
      let body_size := read_u32 (byte_order config) s0 s1 s2 s3 in
      Some (Truncated offset (length_of rest) (12 + body_size))
  | _ => Some (Truncated offset (length_of rest) 12)
  end.

Record Decoder : Type := { offset : N; poison : option DecodeError }.

Definition new_decoder : Decoder := {| offset := 0; poison := None |}.

(** [Decoder::decode]. *)
Definition decode (config : Config) (decoder : Decoder) (buffer : list byte) :
    Decoder * Reply byte Frame DecodeError :=
  match poison decoder with
  | Some error => (decoder, Waits (Some error) buffer)
  | None =>
      match front config buffer (offset decoder) with
      | Whole frame rest =>
          ({| offset := offset decoder + 12 + length_of (body frame); poison := None |},
            Emits frame rest)
      | NotWhole => (decoder, Waits None buffer)
      | Rejected error =>
          ({| offset := offset decoder; poison := Some error |}, Waits (Some error) buffer)
      end
  end.

Record Framer : Type := { decoder : Decoder; buffered : list byte }.

Definition new_framer : Framer := {| decoder := new_decoder; buffered := [] |}.

(** The loop of [Framer::feed]. Each frame takes at least 12 bytes, so it never runs out of [turns]
    if there are as many as bytes. *)
Fixpoint decode_all (config : Config) (turns : nat) (decoder : Decoder) (buffer : list byte) :
    Decoder * list byte * Answer Frame DecodeError :=
  match decode config decoder buffer, turns with
  | (next, Emits frame rest), S turns =>
      let '(last, rest, given) := decode_all config turns next rest in
      (last, rest, answer (frame :: frames given) (error given))
  | (next, Waits error rest), _ => (next, rest, answer [] error)
  | _, _ => (decoder, buffer, answer [] None)
  end.

(** [Framer::feed]. *)
Definition feed (config : Config) (framer : Framer) (chunk : list byte) :
    Framer * Answer Frame DecodeError :=
  match poison (decoder framer) with
  | Some error => (framer, answer [] (Some error))
  | None =>
      let buffer := buffered framer ++ chunk in
      let '(next, rest, given) := decode_all config (length buffer) (decoder framer) buffer in
      let kept := match error given with Some _ => [] | None => rest end in
      ({| decoder := next; buffered := kept |}, given)
  end.

(** [Framer::finish]. *)
Definition finish (config : Config) (framer : Framer) : option DecodeError :=
  match poison (decoder framer) with
  | Some error => Some error
  | None => check_end config (buffered framer) (offset (decoder framer))
  end.

(** The framer in the terms of the other files. *)
Definition framer_step (config : Config) (framer : Framer) (input : Input byte) :
    Framer * Answer Frame DecodeError :=
  match input with
  | Chunk chunk => feed config framer chunk
  | End => (framer, answer [] (finish config framer))
  end.

(** The decoder in the terms of the other files. [decode_eof] is called in a loop too. *)
Definition decoder_step (config : Config) (decoder : Decoder) (call : Call byte) :
    Decoder * Reply byte Frame DecodeError :=
  match call with
  | Decode buffer => decode config decoder buffer
  | DecodeEnd buffer =>
      let '(next, rest, given) := decode_all config (length buffer) decoder buffer in
      match error given with
      | Some _ => (next, Ends given)
      | None => (next, Ends (answer (frames given) (check_end config rest (offset next))))
      end
  end.
