import { COMPILED_ENV } from '../../shared/host-paths.ts'

/** How units of this host start the engine. */
export const engineCommand = (): string[] => [process.execPath, process.argv[1] ?? '']

/** Of each of these units. */
export const KEEP_COMPILED = Object.entries(COMPILED_ENV)
  .map(([name, value]) => `Environment=${name}=${value}`)
  .join('\n')
