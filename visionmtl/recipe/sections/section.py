"""What every section of a recipe is, and the short ways to write one."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A section of the recipe: unknown keys are refused, and a value once read does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_flag_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where a number is wanted, which Python takes for 1 and 0; who reads them says so."""
        field = cls.model_fields.get(info.field_name or "")
        if isinstance(value, bool) and field and not any(isinstance(each, BeforeValidator) for each in field.metadata):
            wanted = {field.annotation, *get_args(field.annotation)}
            if wanted & {int, float} and not wanted & {bool, Any}:
                return no_flag(value, int in wanted)
            for choices in (get_args(each) for each in wanted if get_origin(each) is Literal):
                if value in choices:
                    *most, last = map(str, choices)
                    raise PydanticCustomError(
                        "literal_error", "one of some", {"expected": f"{', '.join(most)} or {last}"}
                    )
        return value


def no_flag(value: Any, whole: bool = True) -> Any:
    """Return what is no flag: YAML reads yes and on as true, no and off as false, Python these as 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("int_type" if whole else "float_type", "a number")
    return value


def _real(value: Any) -> Any:
    return no_flag(value, whole=False)


# of the numbers in a list or mapping; those that are all of a key are asked for by Section
Whole = Annotated[int, BeforeValidator(no_flag)]
Real = Annotated[float, BeforeValidator(_real)]


def by_name(value: Any) -> Any:
    """Return the mapping that a name alone stands for."""
    return {"name": value} if isinstance(value, str) else value


def by_method(value: Any) -> Any:
    """Return the mapping that a method alone stands for."""
    return {"method": value} if isinstance(value, str) else value


def several(value: Any) -> Any:
    """Return the list that a name alone, or several parted by commas, stand for."""
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


def absolute(path: Any) -> Any:
    """Return a path, or each of several by name, from the root on: the folder a run goes on from does not matter."""
    if isinstance(path, dict):
        return {name: absolute(each) for name, each in path.items()}
    return str(Path(path).expanduser().absolute()) if isinstance(path, str) else path


def from_home(path: Any) -> Any:
    """Return a path whose `~` is the folder that it stands for, which a shell makes of it only as a word begins."""
    return str(Path(path).expanduser()) if isinstance(path, str) and path.startswith("~") else path


Names = Annotated[list[str], BeforeValidator(several)]
