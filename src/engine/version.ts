declare const __ENGINE_VERSION__: string | undefined

/** The package's version, put in by the build. */
export const ENGINE_VERSION = typeof __ENGINE_VERSION__ === 'string' ? __ENGINE_VERSION__ : 'development'

declare const __ENGINE_BUILT_AT__: string | undefined

/** The day of the build: no clock of a host that runs this can be right before it. Undefined when run from the sources. */
export const ENGINE_BUILT_AT: string | undefined =
  typeof __ENGINE_BUILT_AT__ === 'string' ? __ENGINE_BUILT_AT__ : undefined
