import { Button, Checkbox, Skeleton, Text } from '@mantine/core'
import { IconRestore } from '@tabler/icons-react'
import type { OfferedChoice, PreflightItem } from '../../../shared/engine-protocol.ts'
import { flagText } from '../../../shared/model/restore-choice.ts'
import { safeLines, safeText } from '../../../shared/safe-text.ts'
import type { PreflightView } from '../../../shared/views/job-view.ts'
import { StateMark, type Tone } from '../../ui/state-mark.tsx'
import classes from './restore.module.css'
import { verdictOf, type Verdict } from './restore-view.ts'
import { words } from './words.ts'

interface CheckPanelProps {
  /** Undefined: the host looks. */
  readonly view: PreflightView | undefined
  /** Who looks. */
  readonly host: string
  /** What else is worth knowing before one begins. */
  readonly remarks: readonly string[]
  /** What the person allows to the point, by name. */
  readonly allowed: readonly string[]
  readonly onAllow: (allowed: readonly string[]) => void
  readonly onRestore: () => void
  readonly onCheckAgain: () => void
  /** What was chosen of what the host offered. */
  readonly choices: readonly OfferedChoice[]
  readonly onChoose: (offer: OfferedChoice) => void
  readonly onTakeBack: (offer: OfferedChoice) => void
}

/** What the host found before anything is touched, and the button that begins. */
export function CheckPanel(props: CheckPanelProps) {
  const { view, host, remarks, allowed, onAllow, onRestore, onCheckAgain, choices, onChoose, onTakeBack } = props
  const verdict = view && verdictOf(view)
  return (
    <>
      <div role="status">
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
      {choices.map((offer) => (
        <div key={flagText(offer.choice)} className={classes['chosen']}>
          <bdi>{words.check.chosen(safeText(offer.label))}</bdi>
          <Button size="compact-xs" variant="default" onClick={() => onTakeBack(offer)}>
            {words.check.takeBack}
          </Button>
        </div>
      ))}
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
      {allowed.map((item) => (
        <Checkbox
          key={item}
          checked
          label={words.check.allowed(safeText(item))}
          onChange={() => onAllow(allowed.filter((each) => each !== item))}
        />
      ))}
      {view === undefined ? (
        <Skeleton height={160} />
      ) : (
        <Checklist items={view.items} onAllow={(item) => onAllow([...allowed, item])} onChoose={onChoose} />
      )}
    </>
  )
}

const VERDICT: Readonly<Record<Verdict, Tone>> = { ready: 'good', warned: 'attention', blocked: 'danger' }
const TONE: Readonly<Record<PreflightItem['state'], Tone>> = { ok: 'good', warning: 'attention', problem: 'danger' }
const ORDER = ['problem', 'warning', 'ok'] as const

interface ChecklistProps {
  readonly items: readonly PreflightItem[]
  readonly onAllow: (item: string) => void
  readonly onChoose: (offer: OfferedChoice) => void
}

/** What stands in the way first. What the point wants of the host can be allowed where it is named. */
function Checklist({ items, onAllow, onChoose }: ChecklistProps) {
  const sorted = items.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
  return (
    <ul className={classes['checks']}>
      {sorted.map(({ check, state, text, fix, allow, choices = [] }, n) => (
        <li key={n}>
          <StateMark tone={TONE[state]} label={safeText(check)} hint={words.check.state[state]} />
          <bdi className={classes['finding']}>{safeLines(text)}</bdi>
          {allow !== undefined && (
            <Checkbox
              className={classes['finding']}
              checked={false}
              label={words.check.allow(safeText(allow))}
              onChange={() => onAllow(allow)}
            />
          )}
          {allow === undefined && fix !== undefined && fix !== '' && (
            <span className={classes['fix']}>{safeLines(fix)}</span>
          )}
          {choices.length > 0 && (
            <span className={classes['offers']}>
              {choices.map((offer) => (
                <Button
                  key={flagText(offer.choice)}
                  size="compact-sm"
                  variant="default"
                  onClick={() => onChoose(offer)}
                >
                  {safeText(offer.label)}
                </Button>
              ))}
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}
