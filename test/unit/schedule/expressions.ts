import * as fc from 'fast-check'

const DAYS = ['Mon', 'tuesday', 'Wed', 'Thu', 'Friday', 'SAT', 'Sun']

/** One to three values of a field, each as `2`, `2..8`, `2..8/3` or `2/3`. */
const field = (first: number, last: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant('*') },
    {
      weight: 3,
      arbitrary: fc.array(item(first, last), { minLength: 1, maxLength: 3 }).map((items) => items.join(','))
    }
  )

const item = (first: number, last: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min: first, max: last - 1 }), fc.nat(), fc.nat(), fc.integer({ min: 0, max: 3 }))
    .map(([start, a, b, kind]) => {
      const stop = start + 1 + (a % (last - start))
      const repeat = 1 + (b % (stop - start))
      return [`${start}`, `${start}..${stop}`, `${start}..${stop}/${repeat}`, `${start}/${repeat}`][kind] ?? '*'
    })

/** The same counted from the end of a month, where what repeats has to have room in the other direction. */
const fromEnd = fc.oneof(
  fc.integer({ min: 1, max: 28 }).map(String),
  fc.constantFrom('07/1', '3..9/2', '1..28', '15/7', '2,5')
)

const weekdays = fc.oneof(
  fc.constant(''),
  fc.subarray(DAYS, { minLength: 1 }).map((days) => `${days.join(',')} `),
  fc.constantFrom('Mon..Fri ', 'Sat,Mon..Wed ', 'mon..wed,Fri..Sun ', 'Thu, ')
)

const date = fc.oneof(
  fc.constant(''),
  fc.tuple(field(1, 12), field(1, 31)).map((parts) => `${parts.join('-')} `),
  fc
    .tuple(fc.constantFrom('*', '2024/4', '2026..2030', '26,28'), field(1, 12), field(1, 31))
    .map((parts) => `${parts.join('-')} `),
  fc.tuple(fc.constant('*'), field(1, 12), fromEnd).map(([year, month, day]) => `${year}-${month}~${day} `)
)

const time = fc.oneof(
  fc.tuple(field(0, 23), field(0, 59)).map((parts) => parts.join(':')),
  fc.tuple(field(0, 23), field(0, 59), fc.constantFrom('0', '30', '0/20', '5..50/15')).map((parts) => parts.join(':'))
)

const zone = fc.constantFrom('', '', '', ' UTC', ' Asia/Kathmandu', ' America/New_York')

/** Expressions that systemd takes. */
export const expressions: fc.Arbitrary<string> = fc.tuple(weekdays, date, time, zone).map((parts) => parts.join(''))
