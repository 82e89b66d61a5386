/** The public surface of tidewheel. */
export type { ArchiveReport } from '../journal/archive.js'
export type { BackupReport } from '../journal/backup.js'
export type { ChainHead } from '../journal/chain-head.js'
export { type ErrorCode, TidewheelError } from '../journal/errors.js'
export type { RecoveryCut, RecoveryReport, UsedSnapshot } from '../journal/recovery-report.js'
export {
  any,
  bool,
  bytes,
  type DataOf,
  type Fields,
  type FieldType,
  f64,
  type InputOf,
  i32,
  int,
  oneOf,
  type StateOf,
  text,
  u32,
  u64,
  uuid,
} from '../journal/schema/field-types.js'
export type { CommandOptions, ReceiptsListener } from './command-port.js'
export type { DeterminismReport } from './determinism/determinism-check.js'
export {
  type Aggregate,
  type AggregateOptions,
  type CommandType,
  type Decide,
  type DeepReadonly,
  type Domain,
  domain,
  type EventMeta,
  type EventType,
  type Evolve,
  type IdInput,
  type ObjectState,
  object,
  type RecordedEvent,
  ref,
} from './domain.js'
export type { DrillCommand, DrillCommands } from './drill/drill-flow.js'
export { type ArchiveOptions, Engine, type ReadOptions, type ReadStreamOptions } from './engine.js'
export type { Durability, EngineOptions, SnapshotOptions } from './engine-options.js'
export type { Logger } from './logger.js'
export { Producer, type ProducerHandle } from './producer.js'
export type {
  AcceptedReceipt,
  EngineRejection,
  Receipt,
  ReceiptView,
  RejectedReceipt,
} from './receipt.js'
export type { Transaction } from './transaction.js'
export type { Clock } from './wall-clock.js'
