/** All peers, in the order in which they are measured and shown. */
import { emmettMemoryPeer } from './emmett-memory-peer.js'
import { emmettSqlitePeer } from './emmett-sqlite-peer.js'
import { eventStoragePeer } from './event-storage-peer.js'
import { lmdbPeer } from './lmdb-peer.js'
import type { Peer } from './peer.js'
import { postgresPeer } from './postgres-peer.js'
import { betterSqlitePeer, sqlitePeer } from './sqlite-peer.js'
import { tidewheelPeer } from './tidewheel-peer.js'

export const PEERS: readonly Peer[] = [
  tidewheelPeer,
  sqlitePeer,
  betterSqlitePeer,
  lmdbPeer,
  postgresPeer,
  eventStoragePeer,
  emmettSqlitePeer,
  emmettMemoryPeer,
]
