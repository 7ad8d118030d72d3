import type { JobReport, JobSpec } from '../../../shared/model/job.ts'
import { mergeChoices, RestoreChoice } from '../../../shared/model/restore-choice.ts'
import type { SettingsFile } from '../settings/settings-file.ts'
import type { Settings } from '../settings/settings-schema.ts'

/** More than anybody types; the oldest go first. */
const MOST = 200
const MOST_BYTES = 32 << 10
/** Characters of a name of a network, a bridge or a device, or of an address: none that a host has is half as long. */
const LONGEST = 300
/** Restores that this Stillpoint has submitted and not seen the end of. */
const MOST_SUBMITTED = 1000

/** What was chosen at restores to this host. What cannot be understood counts as not chosen, and hides no other. */
export function rememberedChoices(settings: Settings, host: string): RestoreChoice[] {
  const { restoreChoices = [] } = settings.hosts.find(({ name }) => name === host) ?? {}
  return withinRoom(restoreChoices.flatMap((each) => RestoreChoice.safeParse(each).data ?? []).filter(isOfHost))
}

/** Of the one VM is how much RAM it has, where a disk of it lies, and what it goes without. */
const isOfHost = (choice: RestoreChoice): boolean =>
  choice.kind !== 'memory' &&
  choice.kind !== 'disk-dir' &&
  choice.kind !== 'drop' &&
  !('to' in choice && choice.to === 'none') &&
  Object.values(choice).every((each) => each.length <= LONGEST)

function withinRoom(choices: readonly RestoreChoice[]): RestoreChoice[] {
  const kept = choices.slice(-MOST)
  let bytes = kept.reduce((sum, each) => sum + bytesOf(each), 0)
  while (bytes > MOST_BYTES) bytes -= bytesOf(kept.shift())
  return kept
}

const bytesOf = (choice: RestoreChoice | undefined): number => Buffer.byteLength(JSON.stringify(choice))

const submitted = new WeakMap<SettingsFile, Map<string, readonly RestoreChoice[]>>()

/** A job as it is submitted from here: what its host says later that it was told is the host's word. */
export function noteSubmitted(settings: SettingsFile, host: string, id: string, spec: JobSpec): void {
  if (spec.kind !== 'restore' || spec.choices === undefined) return
  const ofThese = submitted.get(settings) ?? new Map<string, readonly RestoreChoice[]>()
  submitted.set(settings, ofThese.set(`${host}/${id}`, spec.choices))
  for (const key of [...ofThese.keys()].slice(0, -MOST_SUBMITTED)) ofThese.delete(key)
}

/** What led to a VM that is there again is an answer for the next one too; nobody knows what becomes of any other. */
export function rememberWhatWorked(settings: SettingsFile, host: string, id: string, { state }: JobReport): void {
  const chosen = submitted.get(settings)?.get(`${host}/${id}`) ?? []
  submitted.get(settings)?.delete(`${host}/${id}`)
  if (state === 'done' || state === 'done-with-warnings') rememberChoices(settings, host, chosen)
}

/** For the next restore to this host. */
export function rememberChoices(settings: SettingsFile, host: string, all: readonly RestoreChoice[]): void {
  const chosen = all.filter(isOfHost)
  if (chosen.length === 0) return
  settings.update((before) => ({
    ...before,
    hosts: before.hosts.map((record) =>
      record.name === host
        ? { ...record, restoreChoices: withinRoom(mergeChoices(rememberedChoices(before, host), chosen)) }
        : record
    )
  }))
}
