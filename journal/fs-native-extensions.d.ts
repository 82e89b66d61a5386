/** The part of `fs-native-extensions` that is used here; the package brings no types. */
declare module 'fs-native-extensions' {
  /** Takes an exclusive kernel lock on the open file; false when another open file has it. */
  export function tryLock(fileDescriptor: number): boolean
}
