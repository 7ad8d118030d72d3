/** Of this host, as IANA calls it: `Europe/Rome`. `UTC` where it cannot be told. */
export function hostTimeZone(): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  return timeZone === 'Etc/Unknown' ? 'UTC' : timeZone
}
