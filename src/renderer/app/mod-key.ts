/** What the keyboard in front of us calls it: `Ctrl+K`, on a Mac `⌘K`. */
export const modKey = (key: string): string => (/Mac/.test(navigator.userAgent) ? `⌘${key}` : `Ctrl+${key}`)
