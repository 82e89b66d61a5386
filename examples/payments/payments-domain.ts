/**
 * The domain that accounts.ts and payment-intents.ts declare themselves in. Its module is
 * payments.ts, which loads them all: that is what a worker thread has to import.
 */
import { domain, oneOf } from '../../engine/index.js'

export const payments = domain('payments', new URL('./payments.js', import.meta.url).href)

/** Stored by its place in this list: append to it, never reorder it. */
export const currency = oneOf('EUR', 'GBP', 'JPY', 'USD')
