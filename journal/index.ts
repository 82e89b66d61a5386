/**
 * The journal for tools: reading, surveying and verifying one without the application that wrote
 * it, and the layouts of its bytes. Applications need only `tidewheel` itself.
 */
export * from './archive-layout.js'
export {
  type BackupReport,
  backupJournal,
  type RestoreOptions,
  type RestoreReport,
  restoreJournal,
} from './backup.js'
export * from './block-layout.js'
export { Catalogue, type CatalogueEntry, type CatalogueKind } from './catalogue.js'
export { type ChainHead, headText, type NotedHead, parseHead } from './chain-head.js'
export type { CopyEnd } from './copy-plan.js'
export { type ErrorCode, type ErrorPlace, TidewheelError } from './errors.js'
export { type EventProof, type ProofPart, proofText, proveEvent } from './event-proof.js'
export {
  checkEvents,
  type EventCheck,
  type JournalEvent,
  type ReadEventsOptions,
  readEvents,
} from './event-reader.js'
export { type FileStorageOptions, openFileStorage } from './file-storage.js'
export { FrameCursor, frameProblem } from './frames.js'
export type { JournalCopy } from './journal-copy.js'
export type { LeftOut } from './journal-cut.js'
export {
  type JournalBlock,
  JournalReader,
  type JournalReaderOptions,
  type ReadBlocksOptions,
  type ReadBound,
} from './journal-reader.js'
export {
  type CountedEntry,
  type JournalSurvey,
  type SegmentSurvey,
  type SnapshotSurvey,
  surveyJournal,
} from './journal-survey.js'
export type { KeyWindow } from './key-window.js'
export { type LockStatus, readLockStatus } from './lock-status.js'
export * from './manifest-layout.js'
export { checkProof } from './proof-check.js'
export * from './record-layout.js'
export type { Codec, IdReader, ReferenceResolver } from './schema/codec.js'
export type { FieldDescription } from './schema/field-description.js'
export type { IdType, IdValue } from './schema/id-type.js'
export { NaiveCodec } from './schema/naive-codec.js'
export {
  type Flavour,
  layOut,
  type PayloadLayout,
  type PlacedField,
} from './schema/payload-layout.js'
export * from './segment-layout.js'
export type { Storage, StorageFile } from './storage.js'
export * from './stream-index-layout.js'
export { type VerifyOptions, type VerifyReport, verifyJournal } from './verify.js'
export type { VerifyProblem, VerifyProblemCode } from './verify-segment.js'
export type { VerifiedSnapshot } from './verify-snapshots.js'
