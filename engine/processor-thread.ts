/**
 * The processor's own thread: loads the domain's module, opens the engine's host, and answers the
 * owner's requests. Commands and receipts do not pass here: they are in shared memory.
 *
 * Started by thread-side.ts.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { errorMessageOf } from '../journal/error-message.js'
import { assert } from '../journal/errors.js'
import { outlineOf, streamHashes } from './determinism/state-outline.js'
import { EngineHost } from './engine-host.js'
import { createLaneMemory, type Lane } from './lane.js'
import { loadDomain } from './load-domain.js'
import type { Logger } from './logger.js'
import type {
  ProcessorMessage,
  ProcessorThreadData,
  Request,
  RequestMessage,
} from './processor-messages.js'

const data = workerData as ProcessorThreadData
const lanes = new Map<number, Lane>()

function post(message: ProcessorMessage): void {
  parentPort?.postMessage(message)
}

const logger: Logger = {
  info: (text) => post({ kind: 'log', level: 'info', text }),
  warn: (text) => post({ kind: 'log', level: 'warn', text }),
  error: (text) => post({ kind: 'log', level: 'error', text }),
}

async function answer(host: EngineHost, request: Request): Promise<unknown> {
  const { runtime } = host.state
  switch (request.op) {
    case 'attachLane':
      lanes.set(request.lane, host.attachLane(request.memory))
      return undefined
    case 'dropLane': {
      const lane = lanes.get(request.lane)
      if (lane !== undefined) host.dropLane(lane)
      lanes.delete(request.lane)
      return undefined
    }
    case 'query':
      return host.whenSynced(() => runtime.plainCopyOf(request.aggregateIndex, request.id))
    case 'slotOf':
      return runtime.slotOf(request.aggregateIndex, request.id)
    case 'idsFrom': {
      const { ids } = runtime.stores[request.aggregateIndex]!
      const end = Math.min(request.slot + request.count, ids.count + 1)
      return Array.from({ length: end - request.slot }, (_, i) => ids.idOf(request.slot + i))
    }
    case 'digest':
      return host.digest()
    case 'outline':
      return host.whenQuiet(() => outlineOf(runtime))
    case 'streamHashes':
      return host.whenQuiet(() => streamHashes(runtime, request.piece))
    case 'close':
      return host.close()
  }
}

async function run(): Promise<void> {
  const options = { ...data.options, logger, clock: undefined }
  const host = await EngineHost.open(data.path, await loadDomain(data), options)
  const { report, catalogue } = host.state
  const lane = createLaneMemory()
  host.attachLane(lane, true)
  host.onFailure = (error) => post({ kind: 'failed', error: errorMessageOf(error) })
  if (host.failure !== undefined) host.onFailure(host.failure)
  assert(parentPort !== null, 'this module runs as a worker')
  parentPort.on('message', ({ number, request }: RequestMessage) => {
    answer(host, request).then(
      (value) => {
        post({ kind: 'answer', number, value })
        if (request.op === 'close') parentPort?.close()
      },
      (error) => {
        post({ kind: 'refusal', number, error: errorMessageOf(error) })
        if (request.op === 'close') parentPort?.close()
      },
    )
  })
  post({
    kind: 'ready',
    report,
    catalogue: catalogue.toJSON(),
    ring: host.ringMemory,
    edge: host.edgeMemory,
    lane,
  })
}

run().catch((error: unknown) => post({ kind: 'openFailed', error: errorMessageOf(error) }))
