import { noticeId, type Said } from './notices.ts'

interface Brought {
  readonly schedules: number
  readonly points: number
  readonly jobs: number
}

/** `kvm-1 brought 2 schedules, 31 points and 120 past jobs`. Undefined: it brought nothing. */
export function adoptionNotice(host: string, { schedules, points, jobs }: Brought): Said | undefined {
  const parts = [counted(schedules, 'schedule'), counted(points, 'point'), counted(jobs, 'past job')].flat()
  if (parts.length === 0) return undefined
  const at = new Date().toISOString()
  return {
    id: noticeId(host, 'adopted', at),
    host,
    at,
    severity: 'info',
    title: `${host} brought ${new Intl.ListFormat('en-GB').format(parts)}`,
    text: 'They were found on the host itself, as they are there.',
    goTo: schedules > 0 ? { screen: 'schedules' } : { screen: 'hosts', host }
  }
}

const counted = (n: number, what: string): string[] => (n === 0 ? [] : [`${n} ${what}${n === 1 ? '' : 's'}`])
