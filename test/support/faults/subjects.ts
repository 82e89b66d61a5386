/** All that real faults meet. */
import { CopySubject } from './copy-subject.js'
import type { FaultSubject } from './fault-session.js'
import { WorkloadSubject } from './workload-subject.js'
import { WORKLOADS } from './workloads.js'

const COMMANDS_WANTED = 17

export function faultSubjects(): FaultSubject[] {
  return [
    ...WORKLOADS.map((workload) => new WorkloadSubject(workload)),
    new CopySubject('backup'),
    new CopySubject('restore'),
    new CopySubject('restore', COMMANDS_WANTED),
  ]
}
