import { roomy } from './roomy.js'

export default roomy(3, import.meta.url)
