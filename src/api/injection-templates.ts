import Handlebars from 'handlebars';
import { messageOf } from '../base/errors.ts';

/** Templates that every mesh has. */
export const builtInTemplateNames = ['sidecar', 'gateway', 'grpc-agent', 'grpc-simple'] as const;

/**
 * The name by which Istio's documentation has a template that brings the socket of SPIRE. With provider `Spire` the others
 * do so themselves, so it adds nothing.
 */
export const spireTemplateName = 'spire';

export type BuiltInTemplateName = (typeof builtInTemplateNames)[number];

/** Helpers that print; each prints YAML from which no value can break out. */
const printers = ['toYaml', 'quote'];
const blocks = ['if', 'unless', 'each', 'with'];
/** Helpers that give a value to another one. */
const functions = ['lookup', 'eq'];

/**
 * What is wrong with the text of a template, as a sentence that follows its path; undefined when nothing is.
 * A template prints values only through `toYaml` and `quote`: text of a pod's author must not become structure.
 */
export function templateProblem(text: string): string | undefined {
  if (text.includes('\ue000')) return 'must not contain the character U+E000';
  try {
    const problems: string[] = [];
    new TemplateCheck(problems).accept(Handlebars.parse(text));
    return problems[0];
  } catch (error) {
    return `must be a Handlebars template: ${messageOf(error).replaceAll('\n', ' ')}`;
  }
}

class TemplateCheck extends Handlebars.Visitor {
  readonly #problems: string[];

  constructor(problems: string[]) {
    super();
    this.#problems = problems;
  }

  override MustacheStatement(statement: hbs.AST.MustacheStatement): void {
    const name = nameOf(statement.path);
    if (!printers.includes(name)) {
      this.#complain(statement, `prints {{${name}}}: write {{toYaml ${name}}} or {{quote ${name}}}`);
    }
    super.MustacheStatement(statement);
  }

  override BlockStatement(statement: hbs.AST.BlockStatement): void {
    const name = nameOf(statement.path);
    if (!blocks.includes(name)) {
      this.#complain(statement, `uses the block {{#${name}}}: there are ${blocks.join(', ')}`);
    }
    super.BlockStatement(statement);
  }

  override SubExpression(expression: hbs.AST.SubExpression): void {
    const name = nameOf(expression.path);
    if (![...functions, ...printers].includes(name)) {
      this.#complain(expression, `calls (${name}): there are ${functions.join(', ')}`);
    }
    super.SubExpression(expression);
  }

  override PartialStatement(statement: hbs.AST.PartialStatement): void {
    this.#complain(statement, 'includes a partial: there are none');
  }

  override PartialBlockStatement(statement: hbs.AST.PartialBlockStatement): void {
    this.#complain(statement, 'includes a partial: there are none');
  }

  override Decorator(decorator: hbs.AST.Decorator): void {
    this.#complain(decorator, 'uses a decorator: there are none');
  }

  override DecoratorBlock(decorator: hbs.AST.DecoratorBlock): void {
    this.#complain(decorator, 'uses a decorator: there are none');
  }

  #complain(node: hbs.AST.Node, message: string): void {
    this.#problems.push(`line ${node.loc.start.line} ${message}`);
  }
}

function nameOf(path: hbs.AST.PathExpression | hbs.AST.Literal | hbs.AST.SubExpression): string {
  return 'original' in path ? String(path.original) : '...';
}
