import { formatBytes, formatPause, formatTime } from '../../../shared/format.ts'
import { damagedPlaces } from '../../../shared/point-marks.ts'
import { hostInWords } from '../../../shared/point-name.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { PauseFigure } from '../../ui/pause-figure.tsx'
import { FactsList } from '../hosts/facts-list.tsx'
import { methodShown } from './point-words.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

const said = words.point

interface PointFactsProps {
  readonly point: PointView
  /** Undefined: not read yet. What lists show is there before. */
  readonly manifest: Manifest | undefined
}

/** The pause large, and how the point came about. */
export function PointFacts({ point, manifest }: PointFactsProps) {
  return (
    <div className={classes['pointFacts']}>
      {point.method !== 'offline' && (
        <div>
          <PauseFigure ms={point.pauseMs} size="md" />
          <div className={classes['soft']}>{words.columns.pause}</div>
        </div>
      )}
      <FactsList facts={[...pointFacts(point, manifest), ...manifestFacts(manifest)]} />
    </div>
  )
}

type Facts = readonly (readonly [label: string, value: string])[]

function pointFacts(point: PointView, manifest: Manifest | undefined): Facts {
  const method = methodShown(point)
  const { verified } = point.marks
  return [
    [said.taken, formatTime(point.takenAt)],
    [said.method, manifest === undefined ? method : said.because(method, safeText(manifest.methodReason))],
    [said.policy, point.policy === undefined ? said.byHand : safeText(point.policy.name)],
    [said.host, safeText(hostInWords(point))],
    [said.size, formatBytes(point.sizeBytes)],
    [
      said.verifiedAt,
      verified === undefined
        ? words.never
        : `${formatTime(verified.at)}: ${verified.good ? words.verifiedGood : words.verifiedBad}`
    ],
    ...damagedPlaces(point).map(
      ({ label, verified: found }) =>
        [words.damagedOn(safeText(label)), found === undefined ? '' : formatTime(found.at)] as const
    ),
    [said.id, point.id]
  ]
}

function manifestFacts(manifest: Manifest | undefined): Facts {
  if (manifest === undefined) return []
  const { memory, stateBefore, agent, versions, qemuDowntimeMs, excludedDisks, disks } = manifest
  return [
    [said.before, stateBefore],
    [said.ram, memory === undefined ? words.no : formatBytes(memory.ramBytes)],
    [said.disks, disks.map(({ target, originalSource }) => said.diskOf(target, safeText(originalSource))).join('; ')],
    ...(excludedDisks.length > 0 ? [[said.excluded, excludedDisks.map(safeText).join(', ')] as const] : []),
    [said.agent, said.agents[agent]],
    ...(qemuDowntimeMs !== undefined ? [[said.qemu, formatPause(qemuDowntimeMs)] as const] : []),
    [said.versions, said.versionsOf(safeText(versions.libvirt), safeText(versions.qemu))]
  ]
}
