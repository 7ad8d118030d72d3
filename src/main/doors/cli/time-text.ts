import { InvalidArgumentError } from 'commander'

/** `2026-12-24`, `2026-12-24 18:00`, or an ISO time: as ISO. Without a zone it is the time of this computer. */
export function timeText(text: string): string {
  const local = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text.replace(' ', 'T')
  const ms = /^\d{4}-\d\d-\d\dT/.test(local) ? Date.parse(local) : NaN
  if (Number.isNaN(ms))
    throw new InvalidArgumentError('A date such as 2026-12-24, or a time such as "2026-12-24 18:00".')
  return new Date(ms).toISOString()
}
