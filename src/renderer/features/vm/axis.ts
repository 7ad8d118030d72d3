import { formatDay, formatTime } from '../../../shared/format.ts'

/** A chart asks for labels before it knows its times: what is none has no label. */
export const dayAt = (at: unknown): string => (isTime(at) ? formatDay(new Date(at)) : '')
export const timeAt = (at: unknown): string => (isTime(at) ? formatTime(new Date(at).toISOString()) : '')

const isTime = (at: unknown): at is number => typeof at === 'number' && Number.isFinite(at)

/** The axis of time that all charts of a VM share. */
export const TIME_AXIS = {
  type: 'number',
  scale: 'time',
  domain: ['dataMin', 'dataMax'],
  tickFormatter: dayAt
} as const
