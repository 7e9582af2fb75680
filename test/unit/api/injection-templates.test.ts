import { describe, expect, it } from 'vitest';
import { templateProblem } from '../../../src/api/injection-templates.ts';

describe('the text of a template', () => {
  it.each([
    '',
    'metadata:\n  labels:\n    a: {{quote pod.name "-x"}}',
    '{{#if native}}x: {{toYaml proxy}}{{else}}{{#each pod.containers}}{{quote this}}{{/each}}{{/if}}',
    '{{#if (eq (lookup pod.labels "a") "b")}}{{/if}}',
  ])('is accepted when it prints through toYaml and quote: %j', (text) => {
    expect(templateProblem(text)).toBeUndefined();
  });

  it.each([
    ['a: {{pod.name}}', /line 1 prints \{\{pod\.name\}\}: write \{\{toYaml pod\.name\}\}/],
    ['a: {{{pod.name}}}', /prints/],
    ['a: {{&pod.name}}', /prints/],
    ['{{> partial}}', /partial/],
    ['{{#> partial}}{{/partial}}', /partial/],
    ['{{* decorator}}', /decorator/],
    ['{{#repeat 3}}{{/repeat}}', /block/],
    ['{{toYaml (exec "rm")}}', /calls \(exec\)/],
    ['{{log "x"}}', /prints/],
    ['{{ if .Values.global }}', /prints/],
    ['{{#if x}}', /must be a Handlebars template/],
  ])('is refused otherwise: %j', (text, message) => {
    expect(templateProblem(text)).toMatch(message);
  });
});
