import { lastLines, runVitest, sumOf, type Counts } from './part.ts'

/** Moments and zones at which nothing may depend on being now and here. */
export const CLOCKS = [
  { at: '2027-03-28 02:30:00 UTC', zone: 'UTC' },
  // The clocks go from 02:00 to 03:00 half a minute after the beginning: 02:30 does not exist.
  { at: '2027-03-28 00:59:30 UTC', zone: 'Europe/Berlin' },
  // A leap day, of which a minute is left.
  { at: '2028-02-29 23:59:00 UTC', zone: 'UTC' },
  // Seconds since 1970 no longer fit into 31 bits.
  { at: '2038-01-20 00:00:00 UTC', zone: 'America/New_York' }
] as const
type Clock = (typeof CLOCKS)[number]

/** The one that `npm test` takes. */
export const [, CHANGE_OF_CLOCKS] = CLOCKS

/** Unit and contract tests by another clock, in another zone; time goes on from there. */
export const runByClock = ({ at, zone }: Clock): Promise<Counts> =>
  runVitest(
    { name: `clock ${at.slice(0, 10)} ${zone}`, env: { TZ: zone } },
    ['--project', 'unit', '--project', 'contract'],
    // `faketime` would read the time in the zone, where it may not exist.
    ['env', 'TZ=UTC', 'faketime', at, 'env', `TZ=${zone}`]
  )

/** `npm run test:clocks`: one after the other. */
if (import.meta.main) {
  const counts: Counts[] = []
  for (const clock of CLOCKS) counts.push(await runByClock(clock))
  const sum = sumOf(counts)
  for (const line of lastLines(sum)) console.log(line)
  process.exitCode = sum.failed === 0 ? 0 : 1
}
