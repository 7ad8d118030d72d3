/** How a point travels from one store to another: over SSH, resumable, believed by nobody. The frames are in `frames.ts`. */
export { exportPoint, type ExportOptions } from './export-point.ts'
export { dropIncoming, importPoint, importState } from './import-point.ts'
