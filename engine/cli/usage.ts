/** The help texts. They are what a stranger reads first, so they say what comes out, not only what goes in. */
import type { CommandName } from './arguments.js'

const GENERAL = `tidewheel reads the journal of an engine. It takes no lock and never writes, so it may
run beside the engine, and only --replay needs the application. A drill writes a journal of its own.

  tidewheel read DIR      the events, one JSON object a line
  tidewheel verify DIR    checks every block, the hash chain and every event
  tidewheel info DIR      what is in the journal: segments, streams, types
  tidewheel drill         runs your domain under load, kills it, and counts what was lost

DIR is the directory that the engine was opened with.

  tidewheel COMMAND --help    more about a command
  tidewheel --version         the version

Exit code: 0 all is well, 1 it is not, or cannot be told, 2 wrong arguments.
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

  --json           one JSON object instead of text
  --threads N      worker threads (default: one a processor core)
  --replay         also replay the journal with its domain, twice, and compare the two states:
                   where they differ, an evolve depends on the clock, on randomness or on a
                   variable, and the first stream that differs is named
  --domain MODULE  for --replay: a compiled module that exports the domain as default
  --expect DIGEST  for --replay: the state must have this digest, as engine.digest() gave it
`

const INFO = `tidewheel info DIR [options]

Prints what the journal says of itself: domain, durability, segments and their indexes,
streams, events and commands with their counts and fields, and who has it open. It reads the
whole journal once.

Only what was kept is counted: a rejected command without a key leaves nothing behind.

  --json   one JSON object instead of text; times are microseconds since 1970
`

const DRILL = `tidewheel drill --domain MODULE [options]

Runs your domain under load in a process of its own, durably, kills that process with SIGKILL at
random moments, and recovers it. Then every answer that left the process is looked up in the
journal, and the state after each recovery is compared with that of a second one. Exit code: 0
nothing that was acknowledged is lost or applied twice, all states agree, and each fault was met as
it must be; 1 otherwise.

  --domain MODULE    a compiled module that exports the domain as default, and opens no engine
  --commands MODULE  a compiled module that exports (random) => ({ command, value }) as default:
                     the next command, made with random alone (default: commands with random
                     values of their declared fields; many will be rejected)
  --kills N          how often it is killed (default: 3)
  --faults LIST      then each on a copy of the journal, with commas between; or all (default: none):
                       flip      one bit of a block             must be refused
                       truncate  half of a segment is gone      must be refused
                       missing   a segment is gone              must be refused
                       torn      half of a block at the end     must open, and tell what it cut
                       snapshot  one bit of a snapshot          must open without it, and say so
                       full      no file may grow, under load   must stop, and open again
  --seconds S        of load, in all (default: 10)
  --data DIR         where the journal is kept; must be new or empty (default: removed at the end)
  --json             the last line is one JSON object
  --html FILE        the report as a page, too
`

const TOPICS: Readonly<Record<CommandName, string>> = {
  read: READ,
  verify: VERIFY,
  info: INFO,
  drill: DRILL,
}

/** Ends with a line feed. */
export function usage(topic: CommandName | undefined): string {
  return topic === undefined ? GENERAL : TOPICS[topic]
}
