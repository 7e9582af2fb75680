import { describe, expect, test } from 'vitest';
import { createLogger, logLevels } from '../../../src/observability/logger.ts';
import { recordingLog } from '../../support/recording-log.ts';

describe('the logger', () => {
  test('writes one JSON object a line, with time, level, message and fields', () => {
    const { log, lines } = recordingLog();

    log.child({ controller: 'mesh' }).info('Reconciled', { durationMs: 5 });

    expect(lines).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        level: 'info',
        message: 'Reconciled',
        controller: 'mesh',
        durationMs: 5,
      },
    ]);
  });

  test('writes an error as its message, and its stack at level debug only', () => {
    const { log, lines } = recordingLog();

    log.warn('Failed', { error: new TypeError('boom') });
    log.debug('Failed', { error: new TypeError('boom') });

    expect(lines[0]).toMatchObject({ error: 'boom' });
    expect(lines[0]).not.toHaveProperty('stack');
    expect(lines[1]).toMatchObject({ error: 'boom', stack: expect.stringContaining('TypeError: boom') });
  });

  test('writes a line also when a field cannot be printed', () => {
    const { log, lines } = recordingLog();
    const endless: Record<string, unknown> = {};
    endless.self = endless;

    log.info('Looped', { endless });

    expect(lines).toMatchObject([{ level: 'info', message: 'Looped', fields: 'cannot be printed' }]);
  });

  test.each(logLevels)('writes at level %s what is as severe or more', (level) => {
    const { lines, sink } = recordingLog();
    const log = createLogger(level, sink);

    for (const each of logLevels) log[each]('Line');

    expect(lines.map((line) => line.level)).toEqual(logLevels.slice(0, logLevels.indexOf(level) + 1));
  });
});
