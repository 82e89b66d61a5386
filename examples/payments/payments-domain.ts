/**
 * The domain that accounts.ts and payment-intents.ts declare themselves in. Its module is
 * payments.ts, which loads them all: that is what a worker thread has to import.
 */
import { domain, oneOf } from '../../engine/index.js'

export const payments = domain('payments', new URL('./payments.js', import.meta.url).href)

/** Events hold it, so the list is as it was when the journal began: another one is SCHEMA_CHANGED. */
export const currency = oneOf('EUR', 'GBP', 'JPY', 'USD')
