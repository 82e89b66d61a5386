/**
 * What can go wrong, what must happen then, and the tests that show it: the source of docs/faults.md.
 * A test is named by its file and the beginning of its name, up to what changes from run to run; the
 * long suites by the name that `npm run soak -- --suite` knows.
 */
import type { SuiteName } from './records.js'

export interface TestReference {
  readonly file: string
  readonly name: string
}

export interface FaultRow {
  readonly fault: string
  readonly behaviour: string
  readonly tests: readonly TestReference[]
  readonly suites: readonly SuiteName[]
}

function row(
  fault: string,
  behaviour: string,
  tests: Readonly<Record<string, readonly string[]>>,
  suites: readonly SuiteName[] = [],
): FaultRow {
  const references = Object.entries(tests).flatMap(([file, names]) =>
    names.map((name) => ({ file: `test/${file}.test.ts`, name })),
  )
  return { fault, behaviour, tests: references, suites }
}

export const FAULT_ROWS: readonly FaultRow[] = [
  row(
    'The process is killed (`kill -9`) at any instant',
    'Every answer is there, without a gap, nothing twice. What was not answered is unknown',
    {
      'engine/recovery': ['kill -9: every answer is kept'],
      'system-faults': ['real faults: killed, EIO and ENOSPC'],
      drill: ['generated flow: nothing lost, nothing twice'],
    },
    ['system', 'simulation', 'drill'],
  ),
  row(
    'Power is lost: writes that were not synced are lost, reordered, or torn at 512 bytes',
    'A prefix of what was submitted, with every answer in it',
    {
      'power-loss': ['power loss: every subset of what is not synced'],
      simulation: ['simulation: no answer is lost'],
    },
    ['power', 'simulation'],
  ),
  row(
    'A header is torn, or has a flipped bit',
    'The second copy mends one; both are bad: refused, unless it is the newest, unused segment',
    {
      'journal/segment': ['segment header: every flipped bit'],
      'journal/segment-set': [
        'recovery: repairs one copy of a header from the other',
        'recovery: refuses (both copies of a header damaged',
        'recovery: removes the newest segment (unused',
      ],
      'journal/recovery-damage': ['recovery: refuses or reports (every bit)'],
    },
    ['damage'],
  ),
  row(
    'A bit is flipped in the middle; a segment is truncated, missing, doubled or of another journal',
    'Refused, with file and offset; nothing is changed. Blocks before a snapshot are not read by an opening from it, which has the right state: who reads them is told',
    {
      'engine/snapshot': ['opening: reads no block before the snapshot'],
      'journal/recovery-damage': [
        'recovery: refuses or reports (every bit)',
        'recovery: refuses, or removes what was never used (every length)',
        'recovery: refuses segments that are missing, doubled, exchanged or foreign',
      ],
      'journal/verify': ['verify: sees removed, swapped, doubled, foreign'],
      'cli/drill': ['exchange: nothing lost, nothing twice, one state'],
    },
    ['damage', 'drill'],
  ),
  row(
    'A bit is flipped in the very last block, which no seal covers',
    'Cut as if it were torn, kept in a copy, and reported',
    { 'journal/recovery-damage': ['recovery: loses at most the last block, and says so'] },
    ['damage'],
  ),
  row('The tail is zero; zeros, then valid data', 'The end of the journal; refused', {
    'journal/tail-decision': [
      'row 1: ends (zeros behind the last block)',
      'row 2: refuses (zeros, then valid data)',
    ],
  }),
  row(
    'A write or a sync fails (EIO)',
    'The engine stops, and retries nothing; what was answered is there. Opening writes the tail again and syncs it before it is trusted',
    {
      'system-faults': ['real faults: killed, EIO and ENOSPC', 'judged: a process that %s'],
      'journal/journaler-failure': [
        'journaler: what was released before an error is whole on disk',
      ],
      'journal/recovery-failed-sync': ['recovery: what was cut stays cut, although a sync failed'],
    },
    ['system', 'simulation'],
  ),
  row(
    'The disk is full',
    'New commands are rejected with `DISK_FULL` before that; a write that meets it all the same stops the engine. Goes on when there is room; an old snapshot stays',
    {
      'disk-guard': [
        'disk guard: what was taken is answered and kept',
        'disk guard: without a preparer it STOPs',
        'disk guard: DISK_FULL, all answers are there after kill -9',
      ],
      'engine/snapshot-file': ['writing: stopped at any call, or refused by the disk'],
    },
    ['system', 'simulation'],
  ),
  row(
    'A write is short; a file may become no larger (`ulimit -f`)',
    'The rest is written, or the engine stops',
    {
      'journal/file-storage': ['writeFully: goes on after short writes'],
      'system-limits': ['largest file: a block that ends there STOPs'],
    },
    ['simulation'],
  ),
  row(
    'The file system is read-only, a permission is missing, there are no file descriptors left',
    'Opening is refused, with a sentence; running, what needs a descriptor is refused, and when the journal needs one the engine stops',
    {
      'engine/stopping': ['JOURNAL_UNREADABLE: at open'],
      'system-limits': [
        'no permission: refused',
        'file descriptors: refused with a code',
        'file descriptors of a running engine',
      ],
    },
  ),
  row(
    'The clock jumps back and forth',
    'Time never goes backwards in the journal; more than a second behind is reported',
    {
      'system-limits': ['clock: time never goes backwards'],
      'engine/idempotency': ['time: stands still while the clock is behind'],
    },
  ),
  row(
    'Two processes open one journal',
    'The second gets `ENGINE_LOCKED` with the pid of the first; a killed one frees it at once',
    {
      'engine/recovery': ['ENGINE_LOCKED: a second process'],
      'journal/journal-lock': [
        'lock: is free as soon as its holder is killed',
        'lock: two never hold it',
      ],
    },
  ),
  row(
    'The journal has a format of a later version',
    'Refused by name before anything is written. Journals of every version so far are kept, and open',
    {
      'future-format': [
        'format: a journal of version %i opens as it was written',
        'format: a later one is refused before any write',
      ],
    },
  ),
  row(
    'A snapshot is damaged or missing; the process dies while one is made, while a segment rolls, while a journal is cut',
    'An older snapshot or the whole journal is used, and reported; every step may be the last',
    {
      'engine/snapshot-file': [
        'damage: no bit, and no length, gives another state',
        'writing: stopped at any call, or refused by the disk',
      ],
      'engine/snapshot': [
        'opening: passes over what it cannot use',
        'opening: refuses a journal that ends before a snapshot',
      ],
      'journal/recovery-crash': ['recovery: ends as if it had not died, at every call (torn'],
      'system-faults': ['real faults: killed, EIO and ENOSPC'],
    },
    ['system', 'simulation'],
  ),
  row(
    'A backup, a restore (whole, or to a point), an archive or an orderly close is killed, or refused by the disk, at any step',
    'The journal is as it was. What a copy leaves is nothing, refused, or whole; archiving and closing can be done again',
    {
      'journal/journal-copy': [
        'crash: at every call leaves nothing, what is refused',
        'error: at every call fails with a reason',
      ],
      'journal/archive-crash': [
        'power loss: every subset of what is not synced',
        'killed: at every call that changes something',
        'refused: EIO at every call and ENOSPC',
      ],
      'cli/backup': ['tidewheel backup: killed with -9'],
      'engine/signals': ['SIGTERM under load'],
      'system-faults': ['real faults: killed, EIO and ENOSPC'],
    },
    ['system', 'simulation'],
  ),
  row(
    'A handler throws half-way',
    'Nothing has changed, to the digest; the receipt is `HANDLER_FAILED`',
    {
      'engine/undo': ['rejected transactions leave no trace', 'replay agrees'],
      'engine/commands': ['evolve: a value out of range rejects the command'],
    },
  ),
  row(
    '`evolve` throws',
    'Live: not published, what was complete is answered, the engine stops, opening works. At replay: refused, with sequence and event',
    {
      'engine/stopping': ['EVOLVE_FAILED: what was complete is answered'],
      'engine/changed-domain': ['REPLAY_FAILED: an evolve that %s names sequence and event'],
    },
  ),
  row(
    'A handler is not deterministic (clock, randomness, a variable)',
    'The digest of a replay differs, and the first aggregate that differs is named',
    {
      'cli/replay': ['evolve that asks for %s: the first stream is named'],
      'cli/drill': ['state: exit code 1 when recoveries differ'],
      'engine/changed-domain': ['digest: tells a state that replay gives differently'],
    },
  ),
  row(
    'A command over its limit, a value out of range, malformed bytes in a producer’s ring',
    'Refused at the edge or rejected; never a crash, never a wrong record',
    {
      'engine/receipts': [
        'submit: a command up to its limit is taken',
        'submit: throws for a value out of range',
      ],
      'engine/producers': ['hostile producers: no crash, no wrong record'],
      'engine/isolation': ['a producer that writes over all that it shares'],
      'fuzz/decoders': ['decoders: give a value or a typed error'],
    },
    ['fuzz'],
  ),
  row('A subscriber is slow', 'It goes on from files, and slows nobody', {
    'engine/reading': [
      'subscribe: one that stopped goes on from files',
      'subscribe: events of a subscriber that lags are whole',
    ],
  }),
  row(
    'A producer’s thread dies, also half-way through a claim',
    'Its ring is dropped; the others go on',
    {
      'engine/producers': [
        'terminate(): a producer that dies at any moment',
        'a producer that dies with a full ring',
      ],
    },
  ),
  row(
    'The thread of the journaler or the processor dies',
    'The engine stops, what was pending is unknown, nothing starts again on the same state',
    {
      'engine/stopping': [
        'a thread that dies: nothing more is taken',
        'a thread that dies under load',
      ],
      'thread-death': ['a processor thread that %s: the engine stops'],
      'journal/journaler-link': ['journaler thread: terminated is a failure'],
    },
  ),
  row('The process runs out of memory', 'Like `kill -9`', {
    'thread-death': ['out of memory: every answer is there', 'out of memory: the kernel kills it'],
  }),
  row(
    'Ids such as `../../x`, `__proto__`, empty, 10 kB, any Unicode',
    'An id never becomes a path or the name of a property; limits give clear errors',
    {
      'engine/ids': [
        '%s: ids of every good shape are kept apart',
        '%s: %s is refused wherever it comes in',
      ],
    },
  ),
  row(
    'A journal of a stranger (huge lengths, deep nesting, msgpack bombs)',
    'A typed error, in bounded memory and time',
    {
      'fuzz/decoders': ['decoders: give a value or a typed error'],
      'schema/plain-data': ['check: time and memory stay in proportion to the bytes'],
      'cli/damage': ['read, info: survive a journal that a stranger made'],
    },
    ['fuzz'],
  ),
  row(
    'The same command twice, by its key: accepted or rejected, in flight or later, across crash and snapshot',
    'One effect, the same receipt',
    {
      'engine/idempotency': [
        'the same key gets the same receipt: in flight, later, and after a restart',
        'random duplicates behave as the model says',
      ],
      'engine/snapshot': ['keys: the same key gets the same receipt'],
      'engine/key-window': ['live, replayed and naive are the same'],
    },
    ['simulation', 'system', 'keys'],
  ),
]
