/** What a login to a host may be written with. The schemas of settings and contract use these, and forms as one types. */

/** A name that the operator gives to a host. */
export const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
export const LONGEST_HOST_NAME = 63

/** A host name, address or alias. Never begins with a dash: it would pass for an option. */
export const ADDRESS = /^[A-Za-z0-9_:][A-Za-z0-9._:%-]*$/

export const USER_NAME = /^[A-Za-z0-9_][A-Za-z0-9._@\\-]*\$?$/

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535
