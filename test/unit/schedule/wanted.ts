/** Expressions of every kind, each asked about in every zone. */
// prettier-ignore
export const WANTED = [
  'minutely', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'semiannually', 'yearly', 'daily UTC',
  '02:30', '*:0/15', '0/1:30', '0/4:15', '0/5:00', '*:0/7', '*:7/20:30', '1,2,3:00,30', '2..3:0/10', '01:59:59', '00:00', '23:59:59',
  'Mon..Fri 22:00', 'Sat,Sun 02:00', 'Sun 02:30', 'Mon *-*-1..7 03:00', 'Wed, 17:48', 'Fri *-*-13 13:00',
  '*-*-1 00:00', '*-*-31 12:00', '*-*-1/2 02:15', '*-*~1 02:30', '*-*~3..5/2 04:00', '*-02~03 01:00', 'Mon *-05~07/1 06:00', '*-*~10/4',
  '*-02-29', '*-02~1 02:30', '*-1,4,7,10-1..5/2 0:30', '*-1/5~1 *:0:0', '2018/2-10,11-4 0:30', '2026..2028/2-10-25 2:0/20', '*-*-* *:*:0/20',
  '03:15 Asia/Kathmandu', 'Sun 02:30 America/New_York', '*:0/30 Australia/Lord_Howe', '2020-01-01', '*-02-31', '*-12-31 23:59'
]

/** Each with moments just before, in and after both changes of its clocks, leap days and the ends of years; São Paulo set its last in 2019. */
// prettier-ignore
export const PLACES: readonly (readonly [zone: string, moments: readonly string[]])[] = [
  ['Europe/Berlin', ['2026-03-28T23:50:00Z', '2026-10-24T22:40:00Z', '2026-10-25T01:10:00Z', '2027-12-31T22:59:59Z']],
  ['America/New_York', ['2026-03-08T06:10:00Z', '2026-11-01T04:50:00Z', '2026-11-01T06:15:00Z', '2028-02-28T12:00:00Z']],
  ['Australia/Lord_Howe', ['2026-10-03T14:59:59Z', '2026-04-04T14:05:00Z', '2026-04-04T15:10:00Z', '2028-02-29T13:30:00Z']],
  ['America/Sao_Paulo', ['2018-11-03T20:00:00Z', '2018-02-18T00:10:00Z', '2018-02-18T02:20:00Z', '2026-12-31T23:00:00Z']],
  ['Asia/Kathmandu', ['2026-12-31T18:14:59Z', '2028-02-28T18:15:00Z']],
  ['UTC', ['2028-02-28T23:59:59Z', '2026-12-31T23:59:59Z', '1999-12-31T12:00:00Z']]
]

/** By systemd and by this. */
// prettier-ignore
export const REFUSED = [
  '', 'UTC', '12', '24:00', '0/24:00', '20/4:00', '5..3:00', '*:60', '*-13-1', '*-0-1', '*-*-32', '*-*~29', '*-*~1/1', '*-*~05..03',
  '1969-1-1', '2200-1-1', 'Fri..Mon 02:00', 'Mon.. 02:00', 'Foo 02:00', 'Mon,Foo 02:00', 'Mon,,Tue 1:00', '*/2:15', '*:*/15', '0 2 * * *',
  '*:*:5..5', '1:2:3:4', 'daily daily', '02:00 Mon', '*~02-03', '2026-03', '1-2-3-4', '02:00 Mars/Phobos', '05:40 Europe/berlin', '1,:00',
  'x:00', '*:0/0', '99999999999:00', 'Mon, Tue 5:00', '5:3-2', '* 02:00'
]
