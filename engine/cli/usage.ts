/** The help texts. They are what a stranger reads first, so they say what comes out, not only what goes in. */
import type { CommandName } from './arguments.js'

const GENERAL = `tidewheel reads the journal of an engine. It takes no lock and never writes there, so it may
run beside the engine, and only --replay needs the application. Two commands do write: archive takes
the lock of the journal, and a drill has a journal of its own.

  tidewheel read DIR      the events, one JSON object a line
  tidewheel verify DIR    checks every block, the hash chain and every event
  tidewheel info DIR      what is in the journal: segments, snapshots, streams, types
  tidewheel backup DIR TARGET      copies the journal, also while it is running
  tidewheel restore BACKUP DIR     a journal from a backup, all of it or up to a point
  tidewheel archive DIR   compresses the segments that are full; everything still reads them
  tidewheel prove DIR SEQ proves an event to somebody who has noted a head
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

Indexes and snapshots are caches: one that is wrong is listed too, but concerns neither the
journal nor the exit code. It may be deleted. But a snapshot of later blocks than the journal
has proves that newer segments are missing: that is a problem, exit code 1.

The head, SEQUENCE:HASH, stands for the whole journal: note it elsewhere, and --head shows later
that nothing before it has been changed, removed or reordered.

  --json           one JSON object instead of text
  --head SEQ:HASH  the journal must still hold exactly the history of this noted head; what was
                   added since is checked too, but no note vouches for it
  --threads N      worker threads (default: one a processor core)
  --replay         also replay the journal with its domain, twice, and compare the two states:
                   where they differ, an evolve depends on the clock, on randomness or on a
                   variable, and the first stream that differs is named. The state in each
                   snapshot, and what the newest and the journal behind it give, must be the same
  --domain MODULE  for --replay: a compiled module that exports the domain as default
  --expect DIGEST  for --replay: the state must have this digest, as engine.digest() gave it
`

const INFO = `tidewheel info DIR [options]

Prints what the journal says of itself: domain, durability, segments and their indexes,
snapshots (of which state, how old, whether they are whole), streams, events and commands with
their counts and fields, and who has it open. It reads the whole journal once.

Only what was kept is counted: a rejected command without a key leaves nothing behind.

  --json   one JSON object instead of text; times are microseconds since 1970
`

const BACKUP = `tidewheel backup DIR TARGET

Copies the journal in DIR into TARGET, which must be new or empty: every event that an engine
had answered before, and perhaps some that came meanwhile. The engine may be running; nothing
is written in DIR. The copy is read back and verified, the hash chain included, and has the
snapshots of the journal. TARGET is a journal: it can be verified, read, and opened in place.

Note the head hash somewhere else: as long as \`tidewheel verify TARGET\` prints the same,
nothing in the backup has changed.

A backup that was interrupted is refused by every command and by the engine. One that fails
removes what it has made. Exit code: 0 the backup is whole and on disk; 1 there is none, or, as
stderr then says, there is one and only this text could not be written.
`

const RESTORE = `tidewheel restore BACKUP DIR [options]

Makes a journal in DIR, which must be new or empty, of the backup in BACKUP: all of it, or up
to a point. It ends with a whole transaction, and says which was the last, and what was left
out. Everything is copied, read back and verified; BACKUP is only read, and an engine must not
have it open. Then open DIR with the engine.

  --to-sequence N   the last event wanted; a transaction that goes on behind it is left out
  --to-time T       the last instant wanted: 2026-01-31T12:00:00.5Z, with Z or an offset such
                    as +02:00, or microseconds since 1970

Answers that were given behind the point are gone from DIR. Whatever has followed the journal
(projections elsewhere, other systems) may be ahead of it then.
`

const ARCHIVE = `tidewheel archive DIR [options]

Compresses the segments that nothing is written to any more, oldest first, each in the place of
the plain one, which goes when the archive is on disk and was read back. Nothing else changes: the
engine, reads and all commands read archived segments as they read the others. It takes the lock
of the journal, so no engine may have it open; a running engine has engine.archive().

Broken off, it leaves the journal whole, and may be run again.

  --before SEQ   only segments all of whose events come before this sequence (default: all)
`

const PROVE = `tidewheel prove DIR SEQUENCE [--head SEQ:HASH]
tidewheel prove --check FILE --head SEQ:HASH

The first prints a proof, as JSON: that the event with this sequence lies in the history of a
head, SEQUENCE:HASH as info, verify and engine.head() give it. The second checks one without the
journal, against a head that was noted elsewhere, and prints the event. Exit code 0: proved.
1: not, and the reason is on stderr.

A proof has the blocks that hold the event, its type and the ids that it names, and 32 bytes for
each other block up to the head. The sooner after the event the head was noted, the smaller.

  --head SEQ:HASH  when proving: up to this head (default: the last block there is)
  --check FILE     checks the proof in this file
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
  prove: PROVE,
  backup: BACKUP,
  restore: RESTORE,
  archive: ARCHIVE,
  drill: DRILL,
}

/** Ends with a line feed. */
export function usage(topic: CommandName | undefined): string {
  return topic === undefined ? GENERAL : TOPICS[topic]
}
