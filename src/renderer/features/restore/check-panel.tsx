import { Button, Skeleton, Text } from '@mantine/core'
import { IconRestore } from '@tabler/icons-react'
import { useRef } from 'react'
import type { PreflightItem } from '../../../shared/engine-protocol.ts'
import { capital } from '../../../shared/capital.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { PreflightView } from '../../../shared/views/job-view.ts'
import { CommandLine } from '../../ui/command-line.tsx'
import { StateMark, type Tone } from '../../ui/state-mark.tsx'
import { decisionsFor, type Decision } from './decisions.ts'
import { Decided, Offers } from './offers.tsx'
import classes from './restore.module.css'
import { findingText } from './restore-text.ts'
import { verdictOf, type Verdict } from './restore-view.ts'
import { words } from './words.ts'

interface CheckPanelProps {
  /** Undefined: the host looks. */
  readonly view: PreflightView | undefined
  /** Who looks. */
  readonly host: string
  /** What else is worth knowing before one begins. */
  readonly remarks: readonly string[]
  /** The same in the terminal. */
  readonly line: string | undefined
  /** What was said to what the host found. */
  readonly decisions: readonly Decision[]
  readonly onDecide: (decision: Decision) => void
  readonly onTakeBack: (decision: Decision) => void
  readonly onRestore: () => void
  readonly onCheckAgain: () => void
}

/** What the host found before anything is touched, and the button that begins. */
export function CheckPanel(props: CheckPanelProps) {
  const { view, host, remarks, line, decisions, onDecide, onTakeBack, onRestore, onCheckAgain } = props
  const verdict = view && verdictOf(view)
  const status = useRef<HTMLDivElement>(null)
  /** The button that was pressed is gone with the finding: who goes by keyboard goes on from the verdict. */
  const fromVerdict =
    (act: (decision: Decision) => void) =>
    (decision: Decision): void => {
      status.current?.focus()
      act(decision)
    }
  return (
    <>
      <div role="status" ref={status} tabIndex={-1} className={classes['verdict']}>
        {verdict === undefined ? (
          <StateMark tone="busy" label={words.check.looking(host)} />
        ) : (
          <StateMark tone={VERDICT[verdict]} label={words.check.verdict[verdict]} />
        )}
      </div>
      {remarks.map((remark) => (
        <Text key={remark}>
          <bdi>{remark}</bdi>
        </Text>
      ))}
      {decisions.length > 0 && <Decided decisions={decisions} onTakeBack={fromVerdict(onTakeBack)} />}
      <div className={classes['begin']}>
        <Button
          leftSection={<IconRestore size={16} aria-hidden />}
          disabled={verdict === undefined || verdict === 'blocked'}
          onClick={onRestore}
        >
          {words.restore}
        </Button>
        <Button variant="default" disabled={verdict === undefined} onClick={onCheckAgain}>
          {words.check.again}
        </Button>
      </div>
      {view === undefined ? (
        <Skeleton height={160} />
      ) : (
        <Checklist items={view.items} onDecide={fromVerdict(onDecide)} />
      )}
      {line !== undefined && (
        <div className={classes['terminal']}>
          <span className={classes['soft']}>{words.check.terminal}</span>
          <CommandLine command={line} />
        </div>
      )}
    </>
  )
}

const VERDICT: Readonly<Record<Verdict, Tone>> = { ready: 'good', warned: 'attention', blocked: 'danger' }
const TONE: Readonly<Record<PreflightItem['state'], Tone>> = { ok: 'good', warning: 'attention', problem: 'danger' }
const ORDER = ['problem', 'warning', 'ok'] as const

interface ChecklistProps {
  readonly items: readonly PreflightItem[]
  readonly onDecide: (decision: Decision) => void
}

/** What stands in the way first; whatever can be decided is decided where it is named. */
function Checklist({ items, onDecide }: ChecklistProps) {
  const sorted = items.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
  return (
    <ul className={classes['checks']}>
      {sorted.map((item, n) => (
        <Finding key={n} item={item} onDecide={onDecide} />
      ))}
    </ul>
  )
}

interface FindingProps {
  readonly item: PreflightItem
  readonly onDecide: (decision: Decision) => void
}

function Finding({ item, onDecide }: FindingProps) {
  const { check, state, text, fix = '' } = item
  const label = capital(safeText(check))
  const decisions = decisionsFor(item)
  // The engine says of these what is to be typed, which the button has beside it.
  const isSaid = decisions.some(({ kind }) => kind !== 'choose')
  return (
    <li data-state={state}>
      <StateMark tone={TONE[state]} label={label} hint={words.check.state[state]} />
      <bdi className={classes['finding']}>{findingText(text)}</bdi>
      {!isSaid && fix !== '' && <span className={classes['fix']}>{capital(findingText(fix))}</span>}
      {decisions.length > 0 && <Offers label={words.check.ways(label)} decisions={decisions} onDecide={onDecide} />}
    </li>
  )
}
