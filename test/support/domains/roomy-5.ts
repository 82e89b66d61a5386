import { roomy } from './roomy.js'

export default roomy(5, import.meta.url)
