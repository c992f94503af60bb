from django.db import migrations, models
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, NullIf


def name_whoever_applied(apps, schema_editor):
    """What was applied so far was by whoever its instance names; where it names nobody, by the portal."""
    instance = apps.get_model("reviews", "Instance").objects.filter(pk=OuterRef("instance"))
    named = NullIf(Subquery(instance.values("applied_by_name")), Value(""))
    rows = apps.get_model("reviews", "Verdict").objects.filter(applied_at__isnull=False).order_by()
    rows.update(applied_by_name=Coalesce(named, Value("PIM Portal")))


class Migration(migrations.Migration):

    dependencies = [
        ("reviews", "0004_long_acts"),
    ]

    operations = [
        migrations.AddField(
            model_name="verdict",
            name="applied_by_name",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="applied by"),
            preserve_default=False,
        ),
        migrations.RunPython(name_whoever_applied, migrations.RunPython.noop),
    ]
