(** * The reference decoder held to the Rust code

    Prints what the framer of [Reference.v] returns for many streams, byte by byte. The result is
    committed as [reference-table.txt]. A Rust test compares each row with the Rust framer, and
    [.ci/proof] compares the file with what this file prints. The rows:

    - [stream NAME ORDER MAX HEX RESULT]: one stream of [tests/data].
    - [each ORDER MAX HEX STREAMS CHECKSUM]: every byte value at every position of a stream.
    - [all ORDER MAX COUNT PIECES STREAMS CHECKSUM]: every sequence of so many pieces.

    A result holds each frame ([END:CMD,RECV,BODY]), each error that the call before did not return
    ([END:ERROR]), and what the end of the stream returns ([end:ERROR] or [end:clean]). A checksum
    is that of all results. *)

From Coq Require Import List NArith Ascii String DecimalString Strings.Byte.
From EverySplit Require Import Specification Reference.
Import ListNotations.
Local Open Scope string_scope.
Local Open Scope N_scope.

(** ** Text *)

Definition decimal (value : N) : string := NilZero.string_of_uint (N.to_uint value).

Definition hex_digit (value : N) : string :=
  match String.get (N.to_nat value) "0123456789abcdef" with
  | Some digit => String digit ""
  | None => ""
  end.

Definition hex (bytes : list byte) : string :=
  String.concat ""
    (map (fun one => hex_digit (to_N one / 16) ++ hex_digit (to_N one mod 16)) bytes).

Definition hex_value (digit : ascii) : N :=
  let code := N_of_ascii digit in
  if code <? 58 then code - 48 else code - 87.

Fixpoint bytes_of_hex (text : string) : list byte :=
  match text with
  | String high (String low later) =>
      low_byte (16 * hex_value high + hex_value low) :: bytes_of_hex later
  | _ => []
  end.

Definition order_text (order : ByteOrder) : string :=
  match order with
  | Little => "little"
  | Big => "big"
  end.

Definition error_text (error : DecodeError) : string :=
  match error with
  | BodyTooLarge offset size max =>
      "too-large(" ++ decimal offset ++ "," ++ decimal size ++ "," ++ decimal max ++ ")"
  | Truncated offset received due =>
      "truncated(" ++ decimal offset ++ "," ++ decimal received ++ "," ++ decimal due ++ ")"
  end.

Definition result_text (result : option DecodeError) : string :=
  match result with
  | Some error => error_text error
  | None => "clean"
  end.

Definition frame_text (frame : Frame) : string :=
  decimal (cmd frame) ++ "," ++ decimal (recv frame) ++ "," ++ hex (body frame).

(** ** The result of a stream *)

(** Feeds the bytes one by one. [before] is what the call before returned, [fed] counts the bytes.
    *)
Fixpoint result_from
    (config : Config) (framer : Framer) (before : string) (fed : N) (bytes : list byte) : string :=
  match bytes with
  | [] => " end:" ++ result_text (finish config framer)
  | one :: later =>
      let (next, given) := feed config framer [one] in
      let fed := fed + 1 in
      let now := result_text (error given) in
      let emitted :=
        map (fun frame => " " ++ decimal fed ++ ":" ++ frame_text frame) (frames given) in
      String.concat "" emitted ++
      (if String.eqb now before then "" else " " ++ decimal fed ++ ":" ++ now) ++
      result_from config next now fed later
  end.

Definition result (config : Config) (bytes : list byte) : string :=
  result_from config new_framer "clean" 0 bytes.

(** ** Checksums *)

(** Adds a text to a checksum of 32 bits. *)
Fixpoint add_text (checksum : N) (text : string) : N :=
  match text with
  | String character later =>
      add_text (N.land (31 * checksum + N_of_ascii character) 4294967295) later
  | EmptyString => checksum
  end.

(** The number of streams and the checksum of their results, one after another. *)
Definition summary (config : Config) (streams : list (list byte)) : string :=
  let checksum :=
    fold_left (fun checksum stream => add_text checksum (result config stream)) streams 0 in
  decimal (N.of_nat (List.length streams)) ++ " " ++ decimal checksum.

(** ** The streams *)

Definition all_bytes : list byte := map (fun value => low_byte (N.of_nat value)) (seq 0 256).

(** The streams that have another byte at one position. *)
Fixpoint with_each_byte (before bytes : list byte) : list (list byte) :=
  match bytes with
  | [] => []
  | first :: later =>
      (map (fun other => before ++ other :: later) all_bytes ++
       with_each_byte (before ++ [first]) later)%list
  end.

(** All sequences of so many pieces. *)
Fixpoint sequences (pieces : list (list byte)) (count : nat) : list (list byte) :=
  match count with
  | O => [[]]
  | S fewer =>
      flat_map (fun piece => map (fun later => piece ++ later)%list (sequences pieces fewer)) pieces
  end.

Definition streams : list (string * ByteOrder * N * string) := [
  ("one-little", Little, 8388608,
    "1900000001000000000000007b2268656c6c6f223a20225c75346531365c7537353463227d");
  ("empty-body-little", Little, 8388608,
    "000000000100000000000000");
  ("coalesced-little", Little, 8388608,
    "1900000002000000010000007b2268656c6c6f223a20225c75346531365c7537353463227d130000000300" ++
     "0000010000007b2268656c6c6f223a2022e4b896e7958c227d000000000100000000000000020000000400" ++
     "0000000000007b7d");
  ("field-extremes-little", Little, 8388608,
    "02000000ffffffffffffffff00ff0400000000000000020000000c000000");
  ("truncated-at-1-little", Little, 8388608,
    "1900000001000000000000007b2268656c6c6f223a20225c75346531365c7537353463227d13");
  ("truncated-at-3-little", Little, 8388608,
    "1900000001000000000000007b2268656c6c6f223a20225c75346531365c7537353463227d130000");
  ("truncated-at-4-little", Little, 8388608,
    "1900000001000000000000007b2268656c6c6f223a20225c75346531365c7537353463227d13000000");
  ("truncated-at-11-little", Little, 8388608,
    "1900000001000000000000007b2268656c6c6f223a20225c75346531365c7537353463227d130000000100" ++
     "0000010000");
  ("truncated-at-12-little", Little, 8388608,
    "1900000001000000000000007b2268656c6c6f223a20225c75346531365c7537353463227d130000000100" ++
     "000001000000");
  ("truncated-at-13-little", Little, 8388608,
    "1900000001000000000000007b2268656c6c6f223a20225c75346531365c7537353463227d130000000100" ++
     "0000010000007b");
  ("size-at-limit-16-little", Little, 16,
    "0200000001000000000000006f6b10000000070000000100000078787878787878787878787878787878");
  ("size-over-0x11-limit-0x10-little", Little, 16,
    "0200000001000000000000006f6b110000000700000001000000");
  ("size-over-0x7fffffff-limit-0x10-little", Little, 16,
    "0200000001000000000000006f6bffffff7f0700000001000000");
  ("size-over-0x80000000-limit-0x10-little", Little, 16,
    "0200000001000000000000006f6b000000800700000001000000");
  ("size-over-0xffffffff-limit-0x10-little", Little, 16,
    "0200000001000000000000006f6bffffffff0700000001000000");
  ("size-over-0xfffffff4-limit-0x10-little", Little, 16,
    "0200000001000000000000006f6bf4ffffff0700000001000000");
  ("size-over-0xffffffff-limit-0xfffffffe-little", Little, 4294967294,
    "0200000001000000000000006f6bffffffff0700000001000000");
  ("one-big", Big, 8388608,
    "0000001900000001000000007b2268656c6c6f223a20225c75346531365c7537353463227d");
  ("empty-body-big", Big, 8388608,
    "000000000000000100000000");
  ("coalesced-big", Big, 8388608,
    "0000001900000002000000017b2268656c6c6f223a20225c75346531365c7537353463227d000000130000" ++
     "0003000000017b2268656c6c6f223a2022e4b896e7958c227d000000000000000100000000000000020000" ++
     "0004000000007b7d");
  ("field-extremes-big", Big, 8388608,
    "00000002ffffffffffffffff00ff0000000400000000000000020c000000");
  ("truncated-at-1-big", Big, 8388608,
    "0000001900000001000000007b2268656c6c6f223a20225c75346531365c7537353463227d00");
  ("truncated-at-3-big", Big, 8388608,
    "0000001900000001000000007b2268656c6c6f223a20225c75346531365c7537353463227d000000");
  ("truncated-at-4-big", Big, 8388608,
    "0000001900000001000000007b2268656c6c6f223a20225c75346531365c7537353463227d00000013");
  ("truncated-at-11-big", Big, 8388608,
    "0000001900000001000000007b2268656c6c6f223a20225c75346531365c7537353463227d000000130000" ++
     "0001000000");
  ("truncated-at-12-big", Big, 8388608,
    "0000001900000001000000007b2268656c6c6f223a20225c75346531365c7537353463227d000000130000" ++
     "000100000001");
  ("truncated-at-13-big", Big, 8388608,
    "0000001900000001000000007b2268656c6c6f223a20225c75346531365c7537353463227d000000130000" ++
     "0001000000017b");
  ("size-at-limit-16-big", Big, 16,
    "0000000200000001000000006f6b00000010000000070000000178787878787878787878787878787878");
  ("size-over-0x11-limit-0x10-big", Big, 16,
    "0000000200000001000000006f6b000000110000000700000001");
  ("size-over-0x7fffffff-limit-0x10-big", Big, 16,
    "0000000200000001000000006f6b7fffffff0000000700000001");
  ("size-over-0x80000000-limit-0x10-big", Big, 16,
    "0000000200000001000000006f6b800000000000000700000001");
  ("size-over-0xffffffff-limit-0x10-big", Big, 16,
    "0000000200000001000000006f6bffffffff0000000700000001");
  ("size-over-0xfffffff4-limit-0x10-big", Big, 16,
    "0000000200000001000000006f6bfffffff40000000700000001");
  ("size-over-0xffffffff-limit-0xfffffffe-big", Big, 4294967294,
    "0000000200000001000000006f6bffffffff0000000700000001");
  ("byte-order-mismatch", Little, 8388608,
    "0000001200000001000000017b2268656c6c6f223a2022776f726c64227d");
  ("unframed-exit", Little, 8388608,
    "050000000100000000000000226279652245584954");
  ("client-param", Little, 8388608,
    "a800000003000000010000007b2274797065223a2022504152414d222c20226170694e756d626572223a20" ++
     "225c75353932375c75356262365c7534663139222c202241636164656d794e616d65223a202273222c2022" ++
     "6c6f6750617468223a20225c75353932375c75356262365c7534663139222c2022627261696e4e616d6573" ++
     "223a20225c75353932375c75356262365c7534663139222c202265787465726e616c427261696e4e616d65" ++
     "73223a202273227d");
  ("testpack", Big, 8388608,
    "0000001200000001000000017b2268656c6c6f223a2022776f726c64227d0000001300000001000000027b" ++
     "2268656c6c6f223a2022776f726c6432227d0000001300000001000000037b2268656c6c6f223a2022776f" ++
     "726c6433227d0000001300000001000000047b2268656c6c6f223a2022776f726c6434227d");
  ("server-reply-then-exit", Little, 8388608,
    "1a0000000100000000000000225c75386664395c75363632665c75366438385c75363036662245584954")
].

(** A frame, and a size over the limit of 2. *)
Definition template (order : ByteOrder) : string :=
  match order with
  | Little => "020000000700000001000000" ++ "6f6b" ++ "03000000"
  | Big => "000000020000000700000001" ++ "6f6b" ++ "00000003"
  end.

(** Sizes, fields and bodies, and parts of them at any alignment. 3 is over the limit. *)
Definition pieces : list string := ["00"; "01"; "000000"; "02000000"; "03"; "0000000000000000"].

(** ** The rows *)

Definition line (words : list string) : string := String.concat " " words ++ "
".

Definition config_of (order : ByteOrder) (max : N) : Config :=
  {| byte_order := order; max_body_size := max |}.

Definition stream_row (row : string * ByteOrder * N * string) : string :=
  let '(name, order, max, text) := row in
  line [
    "stream"; name; order_text order; decimal max;
    text ++ result (config_of order max) (bytes_of_hex text)
  ].

Definition each_row (order : ByteOrder) : string :=
  line [
    "each"; order_text order; "2"; template order;
    summary (config_of order 2) (with_each_byte [] (bytes_of_hex (template order)))
  ].

Definition all_row (order : ByteOrder) (count : nat) : string :=
  line [
    "all"; order_text order; "2"; decimal (N.of_nat count); String.concat "," pieces;
    summary (config_of order 2) (sequences (map bytes_of_hex pieces) count)
  ].

Definition rows_of (order : ByteOrder) : list string :=
  each_row order :: map (all_row order) (seq 0 5).

Definition table : string :=
  String.concat "" (map stream_row streams ++ rows_of Little ++ rows_of Big)%list.

Eval vm_compute in table.
