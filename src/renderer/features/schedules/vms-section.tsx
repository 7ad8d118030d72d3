import { Radio, Stack } from '@mantine/core'
import { selectVms } from '../../../shared/select-vms.ts'
import type { VmSelection } from '../../../shared/model/policy.ts'
import { useWindow } from '../../state/store-context.ts'
import { ChooseVms } from './choose-vms.tsx'
import { formWords } from './form-words.ts'
import { MatchingVms } from './matching-vms.tsx'
import { selectionOf, type VmsForm } from './policy-form.ts'
import { Section, type PartProps } from './section.tsx'
import { TextTags } from './text-tags.tsx'

const said = formWords.vms
const KINDS: readonly VmSelection['kind'][] = ['all', 'pattern', 'chosen']

/** Which VMs, and which those are now. */
export function VmsSection({ form: { host, vms }, problems, onEdit }: PartProps) {
  const known = useWindow((state) => state.hosts?.find(({ name }) => name === host))
  const edit = (change: Partial<VmsForm>): void => onEdit({ vms: { ...vms, ...change } })
  const isSeen = known?.asOf !== undefined
  return (
    <Section
      title={said.title}
      aside={<MatchingVms vms={isSeen ? selectVms(selectionOf(vms), known.vms) : undefined} />}
    >
      <Radio.Group aria-label={said.title} value={vms.kind} onChange={(kind) => edit({ kind: kind })}>
        <Stack gap="sm">
          {KINDS.map((kind) => (
            <Radio key={kind} value={kind} label={said.kinds[kind]} description={said.texts[kind]} />
          ))}
        </Stack>
      </Radio.Group>
      {vms.kind === 'pattern' && (
        <TextTags
          label={said.patterns}
          description={said.patternsHint}
          placeholder={said.patternExample}
          error={problems.patterns}
          value={vms.patterns}
          onChange={(patterns) => edit({ patterns })}
        />
      )}
      {vms.kind === 'chosen' ? (
        <ChooseVms
          there={known?.vms ?? []}
          chosen={vms.chosen}
          problem={problems.chosen}
          onChange={(chosen) => edit({ chosen })}
        />
      ) : (
        <TextTags
          label={said.exclude}
          description={said.excludeHint}
          placeholder={said.excludeExample}
          error={problems.exclude}
          value={vms.exclude}
          onChange={(exclude) => edit({ exclude })}
        />
      )}
    </Section>
  )
}
