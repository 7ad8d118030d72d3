declare const __ENGINE_VERSION__: string | undefined

/** The package's version, put in by the build. */
export const ENGINE_VERSION = typeof __ENGINE_VERSION__ === 'string' ? __ENGINE_VERSION__ : 'development'
