import { roomy } from './roomy.js'

export default roomy(2, import.meta.url)
