/** What came of the hostile inputs of a file of tests, by its name. */
export interface Count {
  readonly from: string
  readonly handled: number
  readonly tried: number
}

/**
 * So many inputs each file has to try, a little less than it does: none shrinks to nothing unseen. A new file needs a line here, and one
 * that has grown a higher number. Together they are far more than the 1,300 that the whole suite was asked for.
 */
export const LEAST_INPUTS: Readonly<Record<string, number>> = {
  'asked-here': 38,
  'claimed-hosts': 70,
  'claimed-points': 85,
  'claimed-vms': 55,
  'day-of-noise': 10,
  definitions: 340,
  depth: 75,
  'desktop-side': 25,
  diagnostics: 11,
  failures: 1_750,
  'fat-reports': 44,
  'figures-of-a-host': 260,
  files: 310,
  'files-at-once': 4,
  floods: 140,
  'followed-lines': 33,
  'forged-ram': 55,
  history: 120,
  'history-at-once': 330,
  inventory: 620,
  'jobs-that-drip-in': 19,
  lacks: 12,
  'limits-of-answers': 30,
  'long-answers': 100,
  'long-failures': 64,
  'long-lists': 11,
  'many-policies': 41,
  'moved-vms': 6,
  'muted-vms': 10,
  names: 2_250,
  neighbour: 340,
  'noisy-login': 24,
  notices: 39,
  'of-itself-alone': 28,
  'old-tabs': 7,
  'other-sources': 95,
  'own-vms-only': 120,
  packages: 95,
  page: 250,
  pasted: 320,
  'points-of-a-host': 10,
  'same-id-points': 61,
  'small-answers': 60,
  sshd: 8,
  starting: 36,
  store: 175,
  stream: 740,
  'told-in-turns': 5,
  turns: 3,
  'two-hosts': 350,
  verdicts: 10,
  'whose-job': 345,
  'wrong-answers': 295
}

/**
 * What is wrong with the counts of a run. `isWhole`: not only tests of some name ran. `hasAll`: not only some of the files did, so that
 * each has to be among them.
 */
export function problemsOf(counts: readonly Count[], isWhole: boolean, hasAll = false): string[] {
  const unhandled = counts.reduce((sum, { handled, tried }) => sum + tried - handled, 0)
  const problems = unhandled > 0 ? [`${unhandled} hostile inputs were not handled`] : []
  return isWhole ? [...problems, ...tooFew(counts, hasAll ? Object.keys(LEAST_INPUTS) : [])] : problems
}

function tooFew(counts: readonly Count[], files: readonly string[]): string[] {
  const ofFiles = {
    ...Object.fromEntries(files.map((file) => [`${file}.test.ts`, []])),
    ...Object.groupBy(counts, ({ from }) => from)
  }
  return Object.entries(ofFiles).flatMap(([file, ofFile = []]) => {
    const tried = ofFile.reduce((sum, each) => sum + each.tried, 0)
    const least = LEAST_INPUTS[file.replace(/\.test\.ts$/, '')] ?? 1
    return tried < least ? [`${file} tries only ${tried} hostile inputs of at least ${least}`] : []
  })
}
