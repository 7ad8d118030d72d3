import { COMPILED_ENV } from '../../shared/host-paths.ts'

/** How units of this host start the engine. */
export const engineCommand = (): string[] => [process.execPath, process.argv[1] ?? '']

/** Of each of these units. */
export const KEEP_COMPILED = `Environment=NODE_COMPILE_CACHE=${COMPILED_ENV.NODE_COMPILE_CACHE}`
