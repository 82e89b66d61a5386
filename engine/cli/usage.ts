/** The help texts. They are what a stranger reads first, so they say what comes out, not only what goes in. */
import type { CommandName } from './arguments.js'

const GENERAL = `tidewheel reads the journal of an engine. It needs no application code, takes no
lock and never writes, so it may run beside the engine.

  tidewheel read DIR      the events, one JSON object a line
  tidewheel verify DIR    checks every block, the hash chain and every event
  tidewheel info DIR      what is in the journal: segments, streams, types

DIR is the directory that the engine was opened with.

  tidewheel COMMAND --help    more about a command
  tidewheel --version         the version

Exit code: 0 all is well, 1 the journal is damaged or cannot be read, 2 wrong arguments.
`

const READ = `tidewheel read DIR [options]

Prints the events of the journal to stdout, one JSON object a line:

  {"sequence":7,"time":"2026-01-31T12:00:00.000001Z","stream":"Account",
   "id":"alice","version":3,"type":"MoneyDeposited","data":{"amount":250}}

  --from SEQ      first sequence wanted (default: 1)
  --to SEQ        last sequence wanted (default: the last there is)
  --stream NAME   only events of this aggregate
  --id ID         only events of streams with this id
  --limit N       stop after N events

What JSON has no form for is text: u64 and other big integers are decimal digits, bytes are
base64, infinite numbers are "Infinity" and "-Infinity". Control characters and those that
change the direction of text are always escaped.

A journal that is being written is read up to the end that is seen; its last events may not
be synced to disk yet. A damaged one is read up to the damage: then the reason is on stderr
and the exit code is 1. The whole journal is read from its first segment on, also with
--from, because that is where the ids of streams are.
`

const VERIFY = `tidewheel verify DIR [options]

Checks everything that can be checked without the application: headers, checksums, numbers,
the hash chain from the first block to the last, then every event against the journal's own
catalogue, and the versions of every stream. Exit code 0: nothing is wrong. 1: something is;
each problem is listed with its file and offset.

An index of a segment is a cache: one that is wrong is listed too, but concerns neither the
journal nor the exit code. It may be deleted.

The head hash stands for the whole journal: noted elsewhere, it proves later that nothing
before it has changed.

  --json        one JSON object instead of text
  --threads N   worker threads (default: one a processor core)
`

const INFO = `tidewheel info DIR [options]

Prints what the journal says of itself: domain, durability, segments and their indexes,
streams, events and commands with their counts and fields, and who has it open. It reads the
whole journal once.

Only what was kept is counted: a rejected command without a key leaves nothing behind.

  --json   one JSON object instead of text; times are microseconds since 1970
`

const TOPICS: Readonly<Record<CommandName, string>> = { read: READ, verify: VERIFY, info: INFO }

/** Ends with a line feed. */
export function usage(topic: CommandName | undefined): string {
  return topic === undefined ? GENERAL : TOPICS[topic]
}
