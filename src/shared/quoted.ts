/** One word for a POSIX shell, to be pasted. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`
