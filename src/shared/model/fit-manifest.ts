import { safeText, shorten } from '../safe-text.ts'
import type { Pause } from './pause.ts'
import type { Manifest } from './point.ts'

/** Limits of `Manifest`: what is longer makes a point that nobody would read. */
const LONGEST_WARNING = 4000
const LONGEST_REASON = 1000
const LONGEST_VERSION = 64
const LONGEST_HOST_NAME = 255
const MOST_WARNINGS = 256
const MOST_PAUSES = 64
/** Of all warnings; each character may take six bytes, and a manifest has 4 MiB. */
const MOST_CHARACTERS = 200_000

/**
 * A manifest whose words and figures keep to its limits, whatever a program of the host said and its clock did: a point that
 * is complete never fails for them. The one place where they are cut.
 */
export function fitManifest(manifest: Manifest): Manifest {
  const { versions, host, qemuDowntimeMs } = manifest
  return {
    ...manifest,
    host: { ...host, name: shorten(host.name, LONGEST_HOST_NAME) },
    methodReason: shorten(manifest.methodReason, LONGEST_REASON),
    versions: {
      libvirt: shorten(versions.libvirt, LONGEST_VERSION),
      qemu: shorten(versions.qemu, LONGEST_VERSION),
      engine: shorten(versions.engine, LONGEST_VERSION)
    },
    pauses: fitPauses(manifest.pauses),
    pauseMs: atLeastZero(manifest.pauseMs),
    ...(qemuDowntimeMs !== undefined && { qemuDowntimeMs: atLeastZero(qemuDowntimeMs) }),
    warnings: fitWarnings(manifest.warnings)
  }
}

/** Without what would need escapes in JSON. What is too much is counted, not dropped silently. */
function fitWarnings(warnings: readonly string[]): string[] {
  const texts = warnings.map((text) => shorten(safeText(shorten(text, LONGEST_WARNING)), LONGEST_WARNING))
  const fits = (count: number): boolean =>
    count <= MOST_WARNINGS && texts.slice(0, count).reduce((sum, { length }) => sum + length, 0) <= MOST_CHARACTERS
  if (fits(texts.length)) return texts
  let kept = 0
  while (fits(kept + 2)) kept += 1
  return [...texts.slice(0, kept), `${texts.length - kept} more warnings are in the journal of the job`]
}

/** The longest ones, in their order. */
function fitPauses(pauses: readonly Pause[]): Pause[] {
  const whole = pauses.map((pause) => ({ ...pause, ms: atLeastZero(pause.ms) }))
  if (whole.length <= MOST_PAUSES) return whole
  const longest = new Set(whole.toSorted((a, b) => b.ms - a.ms).slice(0, MOST_PAUSES))
  return whole.filter((pause) => longest.has(pause))
}

const atLeastZero = (ms: number): number => (Number.isFinite(ms) ? Math.max(0, ms) : 0)
